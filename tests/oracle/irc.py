"""How right `answer` is on IRC logs whose replies people annotated: `python -m tests.oracle.irc FOLDER…`."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
    """Measure `mention` and `answer` touches against gold.jsonl.

    A message that continues its author's own earlier one answers whom that one answers.
    """
    truths = {
        int(truth["message_id"]): truth
        for truth in map(json.loads, (folder / "gold.jsonl").read_text("utf-8").splitlines())
    }
    gold = {
        message_id: (int(truth["author_id"]), _answered(truths, message_id, depth=20))
        for message_id, truth in truths.items()
    }
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


def _answered(truths: dict[int, dict[str, Any]], message_id: int, depth: int) -> set[int]:
    """Whom a message answers, other than its author."""
    truth = truths.get(message_id)
    if truth is None or not depth:
        return set()
    users = {int(user) for user in truth["reply_to_users"]} - {int(truth["author_id"])}
    if users or not truth["continues_own"]:
        return users
    return {user for before in truth["reply_to_messages"] for user in _answered(truths, int(before), depth - 1)}


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
