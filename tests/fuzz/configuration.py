"""Configuration files with something wrong: settings, or one sentence that names the file."""

from pathlib import Path
from random import Random

from bot.config import load
from bot.config_error import ConfigError

_EXAMPLE = Path(__file__).resolve().parents[2] / "config.example.yaml"
_ODD = (
    *("null", "~", "true", "yes", "09:00", "1e999", "-1", "0", "1_000", "0x10", "[]", "{}", "[1, 2]", "{a: b}", "''"),
    *("&a x", "*a", "!!python/object:os.system x", "!!binary x", "|", ">", "2026-03-02", ".inf", ".nan", "9" * 400),
    *(
        "\x00",
        "\ufeff",
        "\t",
        "- x",
        "? x",
        ": x",
        "%YAML 9.9",
        "---",
        "...",
        "sqlite:///",
        "postgresql://a:b@/",
        "<<: x",
    ),
)


def fuzz(rng: Random, folder: Path) -> None:
    """The example with some lines changed."""
    path = folder / "config.yaml"
    lines = _EXAMPLE.read_text("utf-8").splitlines()
    for _ in range(rng.randrange(1, 6)):
        number = rng.randrange(len(lines))
        line = lines[number].replace("# ", "", 1) if rng.random() < 0.4 else lines[number]
        key, colon, _ = line.partition(":")
        lines[number] = rng.choice(
            (
                f"{key}: {rng.choice(_ODD)}" if colon else rng.choice(_ODD),
                f"{line}\n{line}",
                " " * rng.randrange(9) + line,
                line[: rng.randrange(len(line) + 1)],
                "",
            )
        )
    content = "\n".join(lines).encode("utf-8")
    if rng.random() < 0.2:
        content = content.replace(b"\n", rng.choice((b"\r", b"\r\n", b"\x00", b"\xff", b"\xc3")), rng.randrange(1, 9))
    path.write_bytes(content)
    try:
        settings = load(path, environment={})
    except ConfigError as error:
        sentence = str(error)
        assert sentence.startswith(str(path)), sentence
        assert "\n" not in sentence.strip(), sentence
        assert len(sentence) < 600, sentence
    else:
        settings.domain_rules()
