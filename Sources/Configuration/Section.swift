import Relay

/// What is found while a configuration is read: its mistakes, every key that was asked for, and their effective values.
final class Reader {
    fileprivate(set) var mistakes: [Mistake] = []
    /// Keys with the names of apps, sources and the like replaced by `NAME`: what the sample file must show.
    fileprivate(set) var askedKeys: Set<String> = []
    fileprivate var lines: [String] = []
    /// For each key a number that another value, secrets included, would not have.
    fileprivate(set) var values: [String: Int] = [:]
}

/// Step two: one mapping of the file, read key by key. Asking for a key makes it known; whatever is left when the
/// section is finished is a mistake. Whoever asks always gets a value, be it a default, so that reading goes on and
/// finds every mistake.
final class Section {
    private let reader: Reader
    private let entries: [Node.Entry]
    private let line: Int
    /// Its key from the root, and the same with `NAME` for names; empty at the root.
    private let path: String
    private let pattern: String
    private let depth: Int
    private var known: [String] = []

    convenience init(_ root: Node, _ reader: Reader) {
        self.init(root, line: root.line, path: "", pattern: "", depth: 0, reader)
    }

    private init(_ node: Node, line: Int, path: String, pattern: String, depth: Int, _ reader: Reader) {
        self.reader = reader
        self.line = line
        self.path = path
        self.pattern = pattern
        self.depth = depth
        switch node.content {
        case .mapping(let entries):
            self.entries = entries
        case .nothing:
            entries = []
        case .text, .list:
            entries = []
            mistake(line: line, path, "this must be a mapping, of keys and values")
        }
    }

    // MARK: - Values

    /// The value of a key that may be left out.
    func value<Value>(_ key: String, _ kind: Kind<Value>, default fallback: Value) -> Value {
        guard let entry = ask(key) else {
            list(key, kind.write(fallback), isDefault: true)
            return fallback
        }
        return read(entry, kind) ?? fallback
    }

    /// The value of a key that may be left out and then has none.
    func optional<Value>(_ key: String, _ kind: Kind<Value>) -> Value? {
        guard let entry = ask(key) else {
            list(key, "none", isDefault: true)
            return nil
        }
        return read(entry, kind)
    }

    /// The value of a key that must be there; nil, and a mistake, where it is not.
    func required<Value>(_ key: String, _ kind: Kind<Value>) -> Value? {
        guard let entry = ask(key) else {
            mistake(key, "this is missing")
            return nil
        }
        return read(entry, kind)
    }

    /// The values of a key: a list, or one value that stands for a list of itself.
    func list<Value>(_ key: String, _ kind: Kind<Value>, default fallback: [Value]) -> [Value] {
        guard let entry = ask(key) else {
            list(key, "[\(fallback.map(kind.write).joined(separator: ", "))]", isDefault: true)
            return fallback
        }
        return items(entry, kind).map(\.value)
    }

    /// The values of a key that must be there and hold at least one.
    func requiredList<Value>(
        _ key: String, _ kind: Kind<Value>, missing sentence: String = "this is missing"
    ) -> [Value] {
        requiredLines(key, kind, missing: sentence).map(\.value)
    }

    /// The same with the lines they stand on.
    func requiredLines<Value>(
        _ key: String, _ kind: Kind<Value>, missing sentence: String = "this is missing"
    ) -> [Located<Value>] {
        guard let entry = ask(key) else {
            mistake(key, sentence)
            return []
        }
        if case .list(let items) = entry.value.content, items.isEmpty { mistake(key, "this list is empty") }
        return items(entry, kind)
    }

    /// The values of a key that may be left out and then has none; where it stands, it must hold at least one.
    /// - Parameter absence: what it means to leave it out, in a word.
    func optionalList<Value>(_ key: String, _ kind: Kind<Value>, absence: String) -> [Value]? {
        if contains(key) { return requiredList(key, kind) }
        _ = ask(key)
        list(key, absence, isDefault: true)
        return nil
    }

    /// The values of a key with the lines they stand on.
    func lines<Value>(_ key: String, _ kind: Kind<Value>) -> [Located<Value>] {
        guard let entry = ask(key) else {
            list(key, "[]", isDefault: true)
            return []
        }
        return items(entry, kind)
    }

    /// The key that is there of several of which only one may be. More than one is a mistake, and so is none where it
    /// is required.
    func one(of keys: [String], isRequired: Bool) -> String? {
        for key in keys { _ = ask(key) }
        let present = keys.filter(contains)
        for other in present.dropFirst() {
            mistake(other, "\(present[0]) stands here too; one of the two must go")
        }
        if present.isEmpty, isRequired {
            mistake(line: line, path, "there must be one of these here: \(keys.joined(separator: ", "))")
        }
        return present.first
    }

    // MARK: - Sections

    /// A section within this one. Where the file has none, every key of it has its default.
    func section<Value>(_ key: String, _ read: (Section) -> Value) -> Value {
        let entry = ask(key)
        let node = entry?.value ?? Node.empty(line: line)
        return self.read(node, line: entry?.line ?? line, key, name: key, read)
    }

    /// Sections by name, such as the apps, in the order of the file.
    func sections<Value>(_ key: String, _ read: (Section, String) -> Value) -> [Value] {
        let entry = ask(key)
        let node = entry?.value ?? Node.empty(line: line)
        return self.read(node, line: entry?.line ?? line, key, name: key) { group in
            if group.entries.isEmpty { group.reader.lines[group.reader.lines.count - 1] += " {}" }
            return group.entries.map { entry in
                group.known.append(entry.key)
                if !entry.key.isName {
                    group.mistake(line: entry.line, group.path, "a name is made of letters, digits, _ and -")
                }
                return group.read(entry.value, line: entry.line, entry.key, name: "NAME") { read($0, entry.key) }
            }
        }
    }

    /// Lists by name. `accept` says what is wrong with a name, if anything is.
    func lists<Value>(
        _ key: String, _ kind: Kind<Value>, name: String, accept: (String) -> String?
    ) -> [(name: String, values: [Located<Value>])] {
        section(key) { section in
            section.entries.map { entry in
                section.known.append(entry.key)
                section.reader.askedKeys.insert("\(section.pattern).\(name)")
                if let sentence = accept(entry.key) { section.mistake(entry.key, sentence) }
                return (entry.key, section.items(entry, kind))
            }
        }
    }

    /// Some of what sections say, by name, for whoever does not read the rest of them: keys that nobody asks for are no
    /// mistakes here.
    func unfinishedSections<Value>(_ key: String, _ read: (Section) -> Value) -> [String: Value] {
        guard case .mapping(let entries)? = entries.first(where: { $0.key == key })?.value.content else { return [:] }
        let sections = entries.map { entry in
            let path = child(key) + "." + entry.key
            let section = Section(
                entry.value, line: entry.line, path: path, pattern: child(key) + ".NAME", depth: depth + 2, reader)
            return (entry.key, read(section))
        }
        return Dictionary(sections) { first, _ in first }
    }

    /// The names in a section of sections, before it is read.
    func names(in key: String) -> Set<String> {
        guard case .mapping(let entries)? = entries.first(where: { $0.key == key })?.value.content else { return [] }
        return Set(entries.map(\.key))
    }

    /// What stands behind a key where it may be either text or a section; makes nothing known.
    func text(of key: String) -> String? {
        guard case .text(let text)? = entries.first(where: { $0.key == key })?.value.content else { return nil }
        return text
    }

    func contains(_ key: String) -> Bool { entries.contains { $0.key == key } }

    /// Where this section stands, and where one of its keys does.
    func line(of key: String? = nil) -> Int { entries.first { $0.key == key }?.line ?? line }

    /// Reports every key that nobody asked for.
    func finish() {
        for entry in entries where !known.contains(entry.key) {
            let guess = known.closest(to: entry.key).map { "; did you mean \"\($0)\"?" } ?? ""
            // A key that is no name, or that has no value, may be a secret in the wrong place.
            if entry.key.isName, !entry.value.isNothing {
                mistake(line: entry.line, child(entry.key), "there is no such key" + guess)
            } else {
                mistake(line: entry.line, path, "there is a key here that does not exist" + guess)
            }
        }
    }

    // MARK: - Mistakes

    /// Reports a mistake in the value of a key, or in this section where the key is not there.
    func mistake(_ key: String, _ sentence: String) {
        mistake(line: line(of: key), child(key), sentence)
    }

    func mistake(line: Int, _ key: String, _ sentence: String) {
        reader.mistakes.append(Mistake(line: line, key: key, sentence: sentence))
    }

    /// What was read so far, with its effective values.
    var listing: String { reader.lines.map { $0 + "\n" }.joined() }

    var values: [String: Int] { reader.values }
}

// MARK: - Reading

extension Section {
    private func ask(_ key: String) -> Node.Entry? {
        known.append(key)
        reader.askedKeys.insert(pattern.isEmpty ? key : "\(pattern).\(key)")
        return entries.first { $0.key == key }
    }

    private func child(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    private func list(_ key: String, _ text: String, isDefault: Bool = false) {
        let indentation = String(repeating: "  ", count: depth)
        reader.lines.append("\(indentation)\(key): \(text)" + (isDefault ? "  # default" : ""))
        reader.values[child(key), default: 0] ^= text.hashValue
    }

    /// What was found elsewhere is listed as where, and may have changed there.
    private func note(_ value: any Followed, of key: String) {
        reader.values[child(key), default: 0] ^= value.fingerprint &* 31
    }

    private func read<Value>(_ entry: Node.Entry, _ kind: Kind<Value>) -> Value? {
        guard let value = read(entry.value, of: entry.key, kind) else { return nil }
        list(entry.key, kind.write(value))
        return value
    }

    private func items<Value>(_ entry: Node.Entry, _ kind: Kind<Value>) -> [Located<Value>] {
        let nodes = if case .list(let nodes) = entry.value.content { nodes } else { [entry.value] }
        let items = nodes.compactMap { node in
            read(node, of: entry.key, kind).map { Located(value: $0, line: node.line) }
        }
        list(entry.key, "[\(items.map { kind.write($0.value) }.joined(separator: ", "))]")
        return items
    }

    private func read<Value>(_ node: Node, of key: String, _ kind: Kind<Value>) -> Value? {
        switch node.content {
        case .text(let text):
            do throws(Wrong) {
                let value = try kind.read(text)
                if let found = value as? any Followed { note(found, of: key) }
                return value
            } catch {
                mistake(line: node.line, child(key), error.sentence)
            }
        case .nothing:
            mistake(line: node.line, child(key), "there is no value here")
        case .list, .mapping:
            mistake(line: node.line, child(key), "this must be \(kind.name)")
        }
        return nil
    }

    private func read<Value>(
        _ node: Node, line: Int, _ key: String, name: String, _ read: (Section) -> Value
    ) -> Value {
        let pattern = pattern.isEmpty ? name : "\(pattern).\(name)"
        reader.lines.append(String(repeating: "  ", count: depth) + "\(key):")
        let section = Section(node, line: line, path: child(key), pattern: pattern, depth: depth + 1, reader)
        let value = read(section)
        section.finish()
        return value
    }
}

/// A value and the line it stands on.
package struct Located<Value> {
    package let value: Value
    package let line: Int
}

extension Located: Sendable where Value: Sendable {}
extension Located: Equatable where Value: Equatable {}

extension Node {
    fileprivate static func empty(line: Int) -> Node { Node(line: line, content: .mapping([])) }

    fileprivate var isNothing: Bool {
        if case .nothing = content { true } else { false }
    }
}
