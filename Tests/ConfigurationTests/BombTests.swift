import Testing

@testable import Configuration

/// A file of a few hundred bytes must not take the memory of a machine, in `check` or in a node that reads it again.
@Suite("A configuration that is larger than it looks", .timeLimit(.minutes(1)))
struct BombTests {
    /// Each line stands for nine of the one before.
    private static func lines(_ count: Int, last: String) -> String {
        let letters = Array("abcdefghijklmnop")
        let rest = (1..<count).map { line in
            "\(letters[line]): &\(letters[line]) ["
                + Array(repeating: "*\(letters[line - 1])", count: 9).joined(separator: ",") + "]\n"
        }
        return "a: &a [\"lol\",\"lol\",\"lol\"]\n" + rest.joined() + last
    }

    @Test("aliases of aliases are counted as what they stand for, and too many are a mistake with its line")
    func aliases() {
        let bomb = Self.lines(12, last: "")
        #expect(bomb.utf8.count < 600)
        let found = mistakes(in: minimal + bomb)
        #expect(found == ["line 4: with what its aliases stand for, this is more than 250000 values"])
    }

    @Test(
        "an alias in a key is refused before anybody compares it",
        arguments: ["? *l\n: 1\n", "*l : 1\n", "z: {*l : 1}\n", "z: [*l : 1]\n", "z: {y: 1, *l }\n", "z: {[*l]: 1}\n"])
    func aliasesInKeys(_ last: String) {
        #expect(mistakes(in: Self.lines(12, last: last)) == ["line 13: an alias (*name) cannot stand in a key"])
    }

    @Test("what is nested too deep is a mistake, however it is nested", arguments: ["[", "{a: ", "- ", "a:\n "])
    func depth(_ opening: String) {
        for count in [40, 900, 5000, 300_000] {
            var text = ""
            if opening == "a:\n " {
                guard count < 5000 else { continue }
                for level in 0..<count { text += String(repeating: " ", count: level) + "a:\n" }
            } else {
                text = String(repeating: opening, count: count)
                if opening == "[" { text += String(repeating: "]", count: count) }
                if opening == "{a: " { text += String(repeating: "}", count: count) }
            }
            let found = mistakes(in: text)
            #expect(found.count == 1 && (found[0].contains("nested deeper") || found[0].contains("nesting level")))
            #expect(found[0].hasPrefix("line "))
        }
    }

    @Test("ordinary aliases stand for what they name, and stars in comments and quotes are none")
    func ordinary() throws {
        let configuration = try load(
            """
            # *not an alias*: nor {*this}
            apps: { main: { secret_key: env:KEY } }
            sources:
              a: { vendor: appsflyer, app: main, auth: &auth { token: env:TOKEN, in: query, name: "*" } }
              b: { vendor: onesignal, app: main, auth: *auth }   # ? *x
              c:
                vendor: mixpanel
                app: main
                auth: *auth
            """)
        #expect(configuration.sources.map(\.name) == ["a", "b", "c"])
        for source in configuration.sources {
            guard case .token(_, .query(let name)) = source.auth.proof else {
                Issue.record("no token")
                continue
            }
            #expect(name == "*")
        }
    }

    @Test("a thousand sources that share an alias are no bomb")
    func many() throws {
        let sources = (0..<1000).map { "  s\($0): { vendor: appsflyer, app: main, auth: *auth }\n" }
        let first = "sources:\n  first: { vendor: appsflyer, app: main, auth: &auth { token: env:TOKEN, in: path } }\n"
        #expect(try load(minimal + first + sources.joined()).sources.count == 1001)
    }
}
