import Testing

@testable import Configuration

struct SpellingTests {
    @Test(
        "the distance of two words counts letters inserted, dropped, replaced and swapped",
        arguments: [
            ("", "", 0), ("abc", "abc", 0), ("abc", "ab", 1), ("abc", "abcd", 1), ("abc", "axc", 1), ("abc", "acb", 1),
            ("kitten", "sitting", 3), ("", "abc", 3), ("ca", "abc", 3),
        ])
    func distance(left: String, right: String, distance: Int) {
        #expect(left.distance(to: right) == distance)
        #expect(right.distance(to: left) == distance)
    }

    @Test(
        "a guess is made only where it is likely",
        arguments: [
            ("lisen", "listen"), ("limit", "limits"), ("LISTEN", nil), ("x", nil), ("", nil), ("colour", nil),
            (String(repeating: "a", count: 10000), nil),
        ] as [(String, String?)])
    func guess(word: String, guess: String?) {
        #expect(["listen", "limits", "log"].closest(to: word) == guess)
    }

    @Test(
        "a name is letters, digits, _ and -",
        arguments: [
            ("main", true), ("a_B-9", true), ("", false), ("a b", false), ("a/b", false), ("a.b", false), ("é", false),
            (String(repeating: "a", count: 64), true), (String(repeating: "a", count: 65), false),
        ])
    func name(text: String, isName: Bool) {
        #expect(text.isName == isName)
    }
}
