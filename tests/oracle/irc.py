"""How right `answer` is on IRC logs whose replies people annotated: `python -m tests.oracle.irc FOLDER…`."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.oracle.record import derive, read


@dataclass(slots=True)
class Score:
    """Counts over the annotated messages of the most answering people, each the manager in turn."""

    answers: int = 0  # `answer` touches
    answers_right: int = 0
    mentions: int = 0
    mentions_right: int = 0
    pairs: int = 0  # (manager, member) pairs touched
    pairs_right: int = 0
    gold_pairs: int = 0
    mention_pairs: int = 0
    mention_pairs_right: int = 0


def evaluate(folder: Path, *, both_ways: bool, managers: int = 20) -> Score:
    """Measure `mention` and `answer` touches against gold.jsonl."""
    gold: dict[int, tuple[int, set[int]]] = {}
    for line in (folder / "gold.jsonl").read_text("utf-8").splitlines():
        truth = json.loads(line)
        author = int(truth["author_id"])
        gold[int(truth["message_id"])] = (author, {int(u) for u in truth["reply_to_users"]} - {author})
    record = read([folder / "export.json"])
    replies = Counter(author for author, users in gold.values() if users)
    score = Score()
    for manager, _ in sorted(replies.items(), key=lambda item: (-item[1], item[0]))[:managers]:
        true_pairs = {user for author, users in gold.values() if author == manager for user in users}
        pairs: dict[str, set[int]] = {"mention": set(), "answer": set()}
        for touch in derive(record, {manager}, both_ways=both_ways).touches:
            if touch.message_id not in gold:
                continue
            right = touch.member_id in gold[touch.message_id][1]
            pairs[touch.kind].add(touch.member_id)
            if touch.kind == "answer":
                score.answers += 1
                score.answers_right += right
            else:
                score.mentions += 1
                score.mentions_right += right
        both = pairs["mention"] | pairs["answer"]
        score.pairs += len(both)
        score.pairs_right += len(both & true_pairs)
        score.gold_pairs += len(true_pairs)
        score.mention_pairs += len(pairs["mention"])
        score.mention_pairs_right += len(pairs["mention"] & true_pairs)
    return score


def main() -> None:
    """Print one line."""
    parts = []
    for folder in map(Path, sys.argv[1:]):
        for both_ways in (False, True):
            score = evaluate(folder, both_ways=both_ways)
            reading = "both ways" if both_ways else "either way"
            parts.append(
                f"{folder.name} {reading}: answer {score.answers_right}/{score.answers} right, "
                f"pairs {score.pairs_right}/{score.pairs} right of {score.gold_pairs}, "
                f"mention {score.mentions_right}/{score.mentions}, "
                f"mention pairs {score.mention_pairs_right}/{score.mention_pairs}"
            )
    print("; ".join(parts))


if __name__ == "__main__":
    main()
