import Testing

@testable import Vendors

@Suite("Places")
struct PlaceTests {
    @Test(
        "are pointers or names",
        arguments: [
            ("user_id", ["user_id"]), ("event.id", ["event.id"]), ("/user/id", ["user", "id"]),
            ("/a~1b/~0id", ["a/b", "~id"]),
            ("/~01", ["~1"]), ("/", [""]), ("/a//b", ["a", "", "b"]), ("$user_id", ["$user_id"]),
            ("/Event Data/x.y", ["Event Data", "x.y"]),
        ] as [(String, [String])])
    func steps(_ text: String, _ steps: [String]) throws {
        #expect(try Place(parsing: text).steps == steps)
        #expect(Place(stringLiteral: text).steps == steps)
    }

    @Test(
        "that are mistakes are told in a sentence",
        arguments: [
            ("", "cannot be empty"), ("/a~b", "must be written ~0"), ("/a~", "must be written ~0"),
            ("/~2", "must be written ~0"),
            (String(repeating: "/a", count: 17), "more than 16 steps"),
        ])
    func mistakes(_ text: String, _ words: String) {
        #expect(performing: { try Place(parsing: text) }, throws: { "\($0)".contains(words) })
    }

    @Test(
        "are found, of several of one name the last",
        arguments: [
            (#"{"a":1}"#, "a", "1"), (#"{"a":1}"#, "/a", "1"), (#"{"a":{"b":2}}"#, "/a/b", "2"),
            (#"{"a.b":3}"#, "a.b", "3"),
            (#"{"a.b":3}"#, "/a/b", nil), (#"{"a":{"b":3}}"#, "a.b", nil), (#"{"a":1,"a":2}"#, "a", "2"),
            (#"{"a":{"b":1},"a":{"b":2}}"#, "/a/b", "2"), (#"{"a":{"b":1},"a":{}}"#, "/a/b", nil),
            (#"{"a":{"b":1},"a":5}"#, "/a/b", nil), (#"{"a":{"b":1,"b":{}}}"#, "/a/b", "{}"), (#"{"A":1}"#, "a", nil),
            // JSON in a string, and in a string within.
            (#"{"a":"{\"b\":4}"}"#, "/a/b", "4"), (#"{"a":" [{\"b\":4}] "}"#, "/a/0/b", "4"),
            (#"{"a":"{\"b\":"}"#, "/a/b", nil),
            (#"{"a":"{\"b\":\"{\\\"c\\\":5}\"}"}"#, "/a/b/c", "5"), (#"{"a":"b"}"#, "/a/b", nil),
            (#"{"a":"{\"b\":4}"}"#, "a", #""{\"b\":4}""#),
            // Arrays, by index and by key.
            (#"{"a":[7,8]}"#, "/a/1", "8"), (#"{"a":[7,8]}"#, "/a/2", nil), (#"[{"a":1}]"#, "/0/a", "1"),
            (#"{"a":[{"key":"x","value":1},{"key":"y","value":2}]}"#, "/a/y/value", "2"),
            (#"{"a":[{"key":"x","value":1},{"key":"x","value":2}]}"#, "/a/x/value", "2"),
            (#"{"a":[{"key":5,"value":1}]}"#, "/a/5/value", nil), (#"{"":1}"#, "/", "1"),
            (#"{"a/b":1,"~id":2}"#, "/~0id", "2"),
        ] as [(String, String, String?)])
    func found(_ json: String, _ place: String, _ expected: String?) throws {
        let place = Place(stringLiteral: place)
        // Others around it, so that the tree has something to branch on.
        let tree = PlaceTree([place, "a", "/a/b", "/a/b/c", "/a/z", "zz", "/b/a"])
        let scratch = Scratch()
        scratch.prepare(for: tree)
        let number = try #require(tree.numbers[place])
        let found = try scratch.body.withDocument(Array(json.utf8)) { root in
            tree.find(in: root, scratch.memberFindings, using: scratch.nested)
            return scratch.memberFindings[number].map { JSONTree($0).text() }
        }
        withExtendedLifetime(scratch) { #expect(found == expected) }
    }

    @Test("that two notations name are one")
    func same() {
        let tree = PlaceTree(["id", "/id", .envelope("id"), "/id/x"])
        #expect(tree.count == 2)
        #expect(tree.numbers["id"] == tree.numbers["/id"])
        #expect(tree.numbers["id"] != tree.numbers["/id/x"])
    }
}
