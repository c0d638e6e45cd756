from __future__ import annotations

import pytest

from qagent.qwen.habits.alphabets import is_in_another_script

CHINESE = "我已经修复了这个函数中的错误，现在它返回两个数的和。"
RUSSIAN = "Функция возвращает разность вместо суммы двух чисел."
ENGLISH = "The function returns the difference in place of the sum of two numbers."


@pytest.mark.parametrize(
    ("task", "reply"),
    [
        ("Fix the bug.", CHINESE),
        ("Behebe den Fehler.", CHINESE),
        ("Fix the bug.", RUSSIAN),
        ("Fix the bug.", f"Done. {CHINESE}"),
        ("修复这个函数里的错误", ENGLISH),
        ("Исправь ошибку в calc.py", ENGLISH),
        ("修复 calc.py 的错误", ENGLISH),
        ("Fix the bug.", "이 함수의 오류를 수정했습니다. 이제 합계를 반환합니다."),
    ],
)
def test_another_script_is_noticed(task: str, reply: str) -> None:
    assert is_in_another_script(reply, task, [task])


@pytest.mark.parametrize(
    ("task", "reply"),
    [
        ("Fix the bug.", ENGLISH),
        ("Fix the bug.", "The function is fixed. 好"),
        ("Fix the bug.", "好的。"),
        ("Fix the bug.", f"It prints this:\n```\n{CHINESE}\n```"),
        ("Fix the bug.", f"It prints `{CHINESE}`."),
        ("Fix the bug.", f"{ENGLISH} {ENGLISH} {CHINESE}"),
        ("修复这个错误", CHINESE),
        ("修复这个错误", "Done."),
        ("修复这个错误", "`calc.py`: `return a + b`"),
        ("修复这个错误", "src/calc.py tests/test_calc.py add_numbers AddNumbers API HTTP"),
        ("Translate the README.", CHINESE),
        ("Answer in Chinese.", CHINESE),
        ("用英文回答", ENGLISH),
        ("Was steht in calc.py?", ENGLISH),
        ("ok", CHINESE),
        ("calc.py", CHINESE),
        ("", CHINESE),
        ("Fix the bug.", ""),
        ("What does 错误 mean here?", CHINESE),
    ],
)
def test_the_same_script_code_names_and_lone_characters_are_nothing(task: str, reply: str) -> None:
    assert not is_in_another_script(reply, task, [task])


def test_what_was_said_before_counts() -> None:
    assert not is_in_another_script(CHINESE, "go on with the next file", ["你好，请修复", "go on with the next file"])
