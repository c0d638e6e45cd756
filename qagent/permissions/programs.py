"""Programs by name, with the reason why they are asked about in every mode. Tables, and nothing else.

NAMES: whatever they are told to do; when a person has said yes they run free of the sandbox, since what they are for
lies outside of it. CONFINED_NAMES: asked about as well, and stay in the sandbox. LOOKS: what is asked about but for a
few subcommands that only look; free after a yes, like NAMES. PUBLISHERS: asked about with these words alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

Words = tuple[str, ...]

POWER = "gains the rights of another user"
_DISK = "can destroy a disk"
_STOPS = "stops the machine or what runs on it"
_STAYS = "leaves something that runs later"
LEAVES = "reaches another machine"
_SETUP = "changes how this machine is set up"
_STEERS = "steers programs outside of the sandbox"
_KEYS = "shows or changes keys"
_DEPLOYS = "changes what runs on another machine"
_BOUNDS = "may undo the bounds that commands are kept in"
_DATA = "can destroy a database"

NAMES: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("sudo", "su", "doas", "pkexec", "runuser", "run0", "sudoedit", "visudo"), POWER),
        **dict.fromkeys(
            ("dd", "mkfs", "fdisk", "parted", "wipefs", "shred", "sfdisk", "sgdisk", "cfdisk", "mkswap", "blkdiscard",
             "cryptsetup", "diskutil"), _DISK,
        ),
        **dict.fromkeys(
            ("shutdown", "reboot", "halt", "poweroff", "systemctl", "service", "launchctl", "telinit", "killall",
             "pkill"), _STOPS,
        ),
        **dict.fromkeys(("crontab", "at", "batch"), _STAYS),
        **dict.fromkeys(
            ("ssh", "scp", "sftp", "nc", "ncat", "socat", "telnet", "gh", "glab", "hub", "mosh", "rsh", "ftp", "lftp",
             "rclone", "s3cmd", "gsutil", "sendmail", "mail", "mailx"), LEAVES,
        ),
        **dict.fromkeys(
            ("tmux", "screen", "osascript", "xdg-open", "dbus-send", "gdbus", "busctl", "systemd-run", "emacsclient",
             "xdotool", "gsettings", "dconf"), _STEERS,
        ),
        **dict.fromkeys(("ssh-add", "secret-tool", "keyctl"), _KEYS),
        **dict.fromkeys(
            ("aws", "gcloud", "az", "heroku", "flyctl", "vercel", "netlify", "wrangler", "firebase", "serverless",
             "sls", "cdk", "doctl", "ansible", "ansible-playbook", "semantic-release", "goreleaser"), _DEPLOYS,
        ),
        **dict.fromkeys(("dropdb", "dropuser"), _DATA),
    }
)  # fmt: skip

CONFINED_NAMES: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("bwrap", "chroot", "nsenter", "unshare"), _BOUNDS),
        **dict.fromkeys(
            ("mount", "umount", "losetup", "iptables", "ip6tables", "nft", "ufw", "firewall-cmd", "sysctl", "modprobe",
             "insmod", "rmmod", "swapon", "swapoff", "useradd", "userdel", "usermod", "groupadd", "groupdel", "passwd",
             "chpasswd", "chsh", "setcap", "timedatectl", "hostnamectl", "update-alternatives", "csrutil", "spctl",
             "networksetup", "scutil"), _SETUP,
        ),
    }
)  # fmt: skip

PUBLISHERS: Mapping[str, Words] = MappingProxyType(
    {
        "npm": ("publish", "pub", "unpublish", "deprecate"),
        **dict.fromkeys(("yarn", "pnpm", "bun", "deno", "jsr", "lerna", "changeset", "vsce"), ("publish", "unpublish")),
        **dict.fromkeys(("poetry", "uv", "flit", "hatch", "pdm", "rye"), ("publish",)),
        "maturin": ("publish", "upload"),
        "cargo": ("publish", "yank"),
        "gem": ("push", "yank"),
        **dict.fromkeys(("docker", "podman", "dotnet", "nuget"), ("push",)),
        "mvn": ("deploy", "release:perform"),
        "mix": ("hex.publish",),
        "twine": ("upload",),
        "setup.py": ("upload", "register"),
    }
)

_CONTAINERS = "works with the rights of its own service, outside of the sandbox"
_CLUSTER = "changes what runs elsewhere"
_CONTAINER_LOOKS = frozenset({
    "diff", "events", "help", "history", "images", "info", "inspect", "logs", "port", "ps", "search", "stats", "top",
    "version",
})  # fmt: skip
_COMPOSE_LOOKS = frozenset({"config", "images", "logs", "ls", "port", "ps", "top", "version"})
_NESTED_LOOKS = frozenset({f"{kind} {verb}" for kind in ("image", "container", "volume", "network")
                           for verb in ("inspect", "ls")})  # fmt: skip
_TERRAFORM_LOOKS = frozenset({
    "fmt", "get", "graph", "init", "metadata", "output", "plan", "providers", "show", "state list", "state show",
    "test", "validate", "version", "workspace list", "workspace show",
})  # fmt: skip
_KUBERNETES_LOOKS = frozenset({
    "api-resources", "api-versions", "auth can-i", "cluster-info", "config current-context", "config get-contexts",
    "config view", "describe", "diff", "explain", "get", "help", "kustomize", "logs", "top", "version",
})  # fmt: skip

LOOKS: Mapping[str, tuple[frozenset[str], str]] = MappingProxyType(
    {
        **dict.fromkeys(
            ("docker", "podman", "nerdctl"),
            (
                _CONTAINER_LOOKS | _NESTED_LOOKS | {f"compose {verb}" for verb in _COMPOSE_LOOKS},
                _CONTAINERS,
            ),
        ),
        **dict.fromkeys(("docker-compose", "podman-compose"), (_COMPOSE_LOOKS, _CONTAINERS)),
        **dict.fromkeys(("kubectl", "oc"), (_KUBERNETES_LOOKS, _CLUSTER)),
        "helm": (
            frozenset({
                "dependency list", "env", "get", "help", "history", "lint", "list", "search", "show", "status",
                "template", "version",
            }), _CLUSTER,
        ),
        **dict.fromkeys(("terraform", "tofu"), (_TERRAFORM_LOOKS, _CLUSTER)),
        "pulumi": (frozenset({"about", "help", "preview", "version", "whoami"}), _CLUSTER),
    }
)  # fmt: skip

NESTED = frozenset({
    "auth", "compose", "config", "container", "dependency", "image", "network", "state", "volume", "workspace",
})  # fmt: skip
"""Subcommands that have subcommands."""

PLAIN_WORDS = frozenset({
    "at", "batch", "gh", "halt", "hub", "mail", "mount", "nc", "screen", "service", "su", "az", "ftp", "rsh", "aws",
    "passwd", "umount", "cdk", "sls", "serverless", "netlify", "vercel", "firebase", "heroku", "ansible", "wrangler",
    "gcloud", "sysctl",
})  # fmt: skip
"""Names that stand in any text; there they count only where a command begins."""
