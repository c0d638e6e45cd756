from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qagent.qwen.reader.lexemes import LONGEST, Lexeme, begun, function_name, lexeme


def lexemes(text: str, *, final: bool = True) -> list[Lexeme]:
    found: list[Lexeme] = []
    pos = 0
    while each := lexeme(text, pos, final=final):
        found.append(each)
        pos = each.end
    return found


KINDS = {
    "a <b": ["text", "text"],
    "<tools>\n{": ["open", "newline", "bracket"],
    "</tool_call></tool_response>": ["close", "close"],
    "<<tools>": ["text", "open"],
    "<|im_end|><tool_response>": ["control", "control"],
    "<|im_sep|>": ["text"],
    "<~|im_end|>": ["text", "ticks", "text"],
    "```py\n": ["ticks", "text", "newline"],
    " \t\r\n\u2028": ["blank", "newline", "blank"],
    "<think></think>": ["think", "think"],
    "<TOOLS></Tools>": ["open", "close"],
    '<tool_call id="1">x': ["open", "text"],
    "<tool_caller>": ["text"],
    "<json></json>": ["weak", "close"],
    "<function=run>": ["xml"],
    '<function name="run">': ["xml"],
    "<function-name>run</function-name>": ["xml", "text", "close"],
    "[tool_call]{[/tool_call]": ["open", "bracket", "close"],
    "[link]": ["bracket", "text"],
}


@pytest.mark.parametrize("text", KINDS)
def test_a_text_has_these_lexemes(text: str) -> None:
    assert [each.kind for each in lexemes(text)] == KINDS[text]
    assert "".join(each.text for each in lexemes(text)) == text


BEGUN = [
    *("<", "</", "<to", "</tool_cal", "<|im_", "<~", "<~~|im_end", "<thin", "<function=", '<function name="ru'),
    *("<tool_call id=", "<parameter", "<JSO"),
]


@pytest.mark.parametrize("end", BEGUN)
def test_a_begun_spelling_at_the_end_is_known(end: str) -> None:
    assert begun(f"a {end}") == len(end)


@pytest.mark.parametrize("end", ["<b", "< ", "<toolbox", "<tools>", "<|pipe", "a", "", "<tools>\n", "<function(x"])
def test_what_no_more_text_can_change_is_not_begun(end: str) -> None:
    assert begun(f"a {end}") == 0


def test_half_a_tag_is_begun_as_long_as_a_control_token_may_end_it() -> None:
    assert begun("a <tool<") == len("<tool<")
    assert begun("a <tool<|im_e") == len("<tool<|im_e")
    assert begun("a <tool</") == len("</")


@pytest.mark.parametrize("held", ["`", "```", "~", "[", "[tool_", "[/tool"])
def test_ticks_and_square_brackets_wait_for_more(held: str) -> None:
    assert lexeme(held, 0, final=False) is None
    assert lexeme(held, 0) is not None


@pytest.mark.parametrize("settled", ["`x", "`" * LONGEST, "[x", "[tool_call]"])
def test_what_is_settled_goes_on_at_once(settled: str) -> None:
    assert lexeme(settled, 0, final=False) is not None


@pytest.mark.parametrize(
    ("opener", "form", "closer"),
    [
        ("<tools>", "tools", "</tools>"),
        ("<Tool_Call>", "tool_call", "</tool_call>"),
        ('<tool_call id="1">', "tool_call", "</tool_call>"),
        ("<function_call>", "tag", "</function_call>"),
        ("<json>", "fence", "</json>"),
        ("[TOOL_REQUEST]", "tag", "[end_tool_request]"),
    ],
)
def test_an_opening_tag_tells_its_form_and_what_closes_it(opener: str, form: str, closer: str) -> None:
    found = lexeme(opener, 0)
    assert found is not None
    assert (found.form, found.closer) == (form, closer)


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("<function=run>", "run"),
        ("<function = run>", ""),
        ('<function name="a.b-c">', "a.b-c"),
        ("<FUNCTION=run >", "run"),
        ("<function-name>", ""),
    ],
)
def test_a_tag_can_name_the_tool(tag: str, name: str) -> None:
    assert function_name(tag) == name


@given(st.text(), st.sampled_from(["<", "<~", "<|im_start", "</tool_call", "<function=" + "x" * 200, "<~" * 99, ""]))
def test_little_is_ever_held_back(text: str, end: str) -> None:
    assert begun(text * 3 + end) <= 2 * LONGEST
    assert "".join(each.text for each in lexemes(text * 3 + end)) == text * 3 + end
