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

    /// Reads one YAML document. An empty one is an empty mapping.
    init(yaml: String) throws(Mistake) {
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
        try self.init(root)
    }

    init(line: Int, content: Content) {
        self.line = line
        self.content = content
    }

    private init(_ node: Yams.Node) throws(Mistake) {
        line = node.mark?.line ?? 1
        switch node {
        case .scalar(let scalar):
            let isNothing = scalar.style == .plain && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
            content = isNothing ? .nothing : .text(scalar.string)
        case .sequence(let sequence):
            var items: [Node] = []
            for item in sequence { items.append(try Node(item)) }
            content = .list(items)
        case .mapping(let mapping):
            var entries: [Entry] = []
            for (key, value) in mapping {
                let line = key.mark?.line ?? self.line
                guard case .scalar(let name) = key else {
                    throw Mistake(line: line, key: "", sentence: "a key must be text")
                }
                // YAML tells 1 from "1"; nobody who reads the file does.
                guard !entries.contains(where: { $0.key == name.string }) else {
                    throw Mistake(line: line, key: "", sentence: "this key stands more than once here")
                }
                entries.append(Entry(key: name.string, line: line, value: try Node(value)))
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
