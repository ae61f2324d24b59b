import Relay

extension String {
    /// Whether it can name an app, a source, a client key or a vendor: it stands in paths, logs and metrics as it is.
    var isName: Bool {
        (1...64).contains(utf8.count) && utf8.allSatisfy { $0.isLetterOrDigit || $0 == 0x5f || $0 == 0x2d }
    }

    /// How many letters to insert, drop, replace or swap with their neighbour to get the other word (Damerau and
    /// Levenshtein, each letter touched once).
    func distance(to other: String) -> Int {
        let left = Array(utf8)
        let right = Array(other.utf8)
        var rows = [Array(0...right.count)]
        for row in left.indices {
            var current = [row + 1]
            for column in right.indices {
                let isEqual = left[row] == right[column]
                var cost = Swift.min(
                    rows[row][column] + (isEqual ? 0 : 1), rows[row][column + 1] + 1, current[column] + 1)
                if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                    cost = Swift.min(cost, rows[row - 1][column - 1] + 1)
                }
                current.append(cost)
            }
            rows.append(current)
        }
        return rows[left.count][right.count]
    }
}

extension Sequence<String> {
    /// What somebody probably meant: the word that differs least, if that is by less than half.
    func closest(to word: String) -> String? {
        guard word.utf8.count <= 64 else { return nil }
        let best = map { (word: $0, distance: $0.distance(to: word)) }.min {
            ($0.distance, $0.word) < ($1.distance, $1.word)
        }
        guard let best, best.distance <= 3, best.distance * 2 < Swift.max(best.word.utf8.count, 2) else { return nil }
        return best.word
    }
}
