"""What is true: what was answered 2xx, and what the upstream was given."""

import collections
import re
import time

# A value is its place in the order in which its profile's values were sent: v00000017 is the seventeenth.
VALUE = re.compile(r"v(\d{8})$")


def value(number):
    return f"v{number:08d}"


class Ledger:
    """The senders' side: every event that was answered 2xx, and for how long none was."""

    def __init__(self):
        self.accepted = collections.defaultdict(list)  # (profile, field): the numbers answered 2xx
        self.refused = collections.Counter()  # by status, or by how the connection ended
        self.without_retry_after = 0
        self.longest_gap = 0.0
        self.answered_at = None

    def begin(self):
        """Senders begin: the time until their first answer counts."""
        self.answered_at = time.monotonic()

    def answered(self, keys, number):
        now = time.monotonic()
        self.longest_gap = max(self.longest_gap, now - (self.answered_at or now))
        self.answered_at = now
        for key in keys:
            self.accepted[key].append(number)

    def not_answered(self, why, headers=None):
        self.refused[why] += 1
        if why == 503 and "retry-after" not in (headers or {}):
            self.without_retry_after += 1

    def end(self):
        """Senders stop: a gap that lasts until now counts as well."""
        if self.answered_at is not None:
            self.longest_gap = max(self.longest_gap, time.monotonic() - self.answered_at)
            self.answered_at = None

    @property
    def count(self):
        return sum(len(numbers) for numbers in self.accepted.values())


class Record:
    """The upstream's side: what it applied, in the order in which it came."""

    def __init__(self):
        self.held = {}  # (profile, field): the number applied last
        self.refused = {}  # (profile, field): the newest number that was refused for good
        self.requests = 0  # applied
        self.duplicates = 0  # of these, those that said nothing new
        self.backwards = 0  # of these, those that put an older value in the place of a newer one

    def apply(self, profile, identifiers):
        self.requests += 1
        is_new = is_older = False
        for field, text in identifiers.items():
            match = VALUE.match(text or "")
            if not match:
                continue
            number, key = int(match[1]), (profile, field)
            before = self.held.get(key, 0)
            is_new = is_new or number != before
            is_older = is_older or number < before
            self.held[key] = number
        self.duplicates += not is_new
        self.backwards += is_older

    def refuse(self, profile, identifiers):
        for field, text in identifiers.items():
            match, key = VALUE.match(text or ""), (profile, field)
            if match:
                self.refused[key] = max(int(match[1]), self.refused.get(key, 0))

    def delivered(self, ledger):
        """How many of the accepted events hold: their value, or a newer one of the same profile and field; what was
        refused for good is a dead letter, and counts as such."""
        return sum(
            sum(number <= max(self.held.get(key, 0), self.refused.get(key, 0)) for number in numbers)
            for key, numbers in ledger.accepted.items()
        )
