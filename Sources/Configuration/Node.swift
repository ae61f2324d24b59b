import Yams

/// Step one: YAML as a tree that knows its lines. Every scalar is text here; what it should be is for the reader of the
/// key to say.
struct Node {
    enum Content {
        case text(String)
        /// `key:` with nothing behind it, `~` or `null`.
        case nothing
        case list([Node])
        case mapping([Entry])
    }

    struct Entry {
        let key: String
        /// Where the key stands.
        let line: Int
        let value: Node
    }

    let line: Int
    let content: Content

    /// A configuration is not nested deeper than a handful of levels.
    static let mostDepth = 32
    /// How many values there may be with those that aliases stand for: enough for ten thousand sources. Ten lines in
    /// which each repeats the one before ten times would be ten thousand million.
    static let mostNodes = 250_000

    /// Reads one YAML document. An empty one is an empty mapping.
    init(yaml: String) throws(Mistake) {
        if let line = AliasKey.line(in: yaml) {
            throw Mistake(line: line, key: "", sentence: "an alias (*name) cannot stand in a key")
        }
        let root: Yams.Node?
        do {
            // The encoding is given because Yams would otherwise ask the environment for it, and print that it did.
            root = try Parser(yaml: yaml, encoding: .utf8).singleRoot()
        } catch {
            throw Mistake(error, in: yaml)
        }
        guard let root else {
            self.init(line: 1, content: .mapping([]))
            return
        }
        var room = Self.mostNodes
        try self.init(root, depth: 0, &room)
    }

    init(line: Int, content: Content) {
        self.line = line
        self.content = content
    }

    /// - Parameter room: how many more values there may be.
    private init(_ node: Yams.Node, depth: Int, _ room: inout Int) throws(Mistake) {
        line = node.mark?.line ?? 1
        room -= 1
        guard room >= 0 else {
            throw Mistake(
                line: line, key: "",
                sentence: "with what its aliases stand for, this is more than \(Self.mostNodes) values")
        }
        guard depth <= Self.mostDepth else {
            throw Mistake(line: line, key: "", sentence: "this is nested deeper than \(Self.mostDepth) levels")
        }
        switch node {
        case .scalar(let scalar):
            let isNothing = scalar.style == .plain && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
            content = isNothing ? .nothing : .text(scalar.string)
        case .sequence(let sequence):
            var items: [Node] = []
            for item in sequence { items.append(try Node(item, depth: depth + 1, &room)) }
            content = .list(items)
        case .mapping(let mapping):
            var entries: [Entry] = []
            var names: Set<String> = []
            for (key, value) in mapping {
                let line = key.mark?.line ?? self.line
                guard case .scalar(let name) = key else {
                    throw Mistake(line: line, key: "", sentence: "a key must be text")
                }
                // YAML tells 1 from "1"; nobody who reads the file does.
                guard names.insert(name.string).inserted else {
                    throw Mistake(line: line, key: "", sentence: "this key stands more than once here")
                }
                let value = try Node(value, depth: depth + 1, &room)
                entries.append(Entry(key: name.string, line: line, value: value))
            }
            content = .mapping(entries)
        case .alias:
            // The parser puts what an alias stands for in its place; one that is left stands for nothing.
            content = .nothing
        }
    }
}

extension Mistake {
    /// What the YAML parser says, without the text it quotes.
    fileprivate init(_ error: any Error, in yaml: String) {
        switch error {
        case YamlError.scanner(_, let problem, let mark, _), YamlError.parser(_, let problem, let mark, _),
            YamlError.composer(_, let problem, let mark, _):
            self.init(line: mark.line, key: "", sentence: "this is not YAML: \(problem)")
        case YamlError.duplicatedKeysInMapping(let keys, let context):
            let names = keys.filter(\.isName).map { "\($0) " }.joined()
            self.init(line: context.mark.line, key: "", sentence: "the key \(names)stands more than once here")
        case YamlError.reader(let problem, let offset, _, _):
            let line = yaml.prefix(offset ?? 0).count(where: \.isNewline) + 1
            self.init(line: line, key: "", sentence: "this is not YAML: \(problem)")
        default:
            self.init(line: nil, key: "", sentence: "the YAML parser failed")
        }
    }
}
