import EventLoop
import Glibc
import Relay
import Synchronization

/// What a configuration refers to outside its file: the environment, files and the machine. A parameter, so that tests
/// need none of them.
package struct Surroundings: Sendable {
    package var environment: @Sendable (String) -> String?
    /// The bytes of a file, or words that say why there are none.
    package var contents: @Sendable (_ path: String) throws(Unreadable) -> [UInt8]
    package var cores: Int

    package init(
        environment: @escaping @Sendable (String) -> String?,
        contents: @escaping @Sendable (_ path: String) throws(Unreadable) -> [UInt8], cores: Int
    ) {
        self.environment = environment
        self.contents = contents
        self.cores = cores
    }

    package struct Unreadable: Error, CustomStringConvertible {
        package let description: String

        package init(_ description: String) {
            self.description = description
        }
    }

    /// Those of this process. Relative paths start at its working directory.
    package static let process = Surroundings(
        environment: { getenv($0).map { String(cString: $0) } },
        contents: { path throws(Unreadable) in
            do throws(SystemError) {
                return try File.contents(of: path)
            } catch {
                throw Unreadable(error.description)
            }
        },
        cores: min(256, max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))))
}

extension Surroundings {
    /// The same for one reading of a configuration: a file that several keys name is read once, and is the same to all
    /// of them.
    var readingOnce: Surroundings {
        let read = ReadFiles()
        var surroundings = self
        surroundings.contents = { [contents] path throws(Unreadable) in
            if let bytes = read[path] { return bytes }
            let bytes = try contents(path)
            read[path] = bytes
            return bytes
        }
        return surroundings
    }

    private final class ReadFiles: Sendable {
        private let files = Mutex<[String: [UInt8]]>([:])

        subscript(path: String) -> [UInt8]? {
            get { files.withLock { $0[path] } }
            set { files.withLock { $0[path] = newValue } }
        }
    }
}

extension Surroundings {
    /// A configuration file's text, without the byte order mark that some editors put before it.
    func text(of path: String) throws(Mistakes) -> String {
        let bytes: [UInt8]
        do {
            bytes = try contents(path)
        } catch {
            throw Mistakes([Mistake(line: nil, key: "", sentence: "the file \(path) cannot be read: \(error)")])
        }
        guard let text = String(validating: bytes.withoutMark, as: UTF8.self) else {
            throw Mistakes([Mistake(line: nil, key: "", sentence: "the file \(path) is not UTF-8")])
        }
        return text
    }
}

/// Where a secret is kept: `env:NAME` or `file:PATH`. Never in the configuration itself, which is copied and committed.
enum SecretReference: Sendable, Equatable, CustomStringConvertible {
    case variable(String)
    case file(String)

    init?(_ text: String) {
        if text.hasPrefix("env:") {
            let name = text.dropFirst("env:".count)
            guard let first = name.utf8.first, !first.isDigit,
                name.utf8.allSatisfy({ $0.isLetterOrDigit || $0 == UInt8(ascii: "_") })
            else { return nil }
            self = .variable(String(name))
        } else if text.hasPrefix("file:"), text.utf8.count > "file:".utf8.count {
            self = .file(String(text.dropFirst("file:".count)))
        } else {
            return nil
        }
    }

    var description: String {
        switch self {
        case .variable(let name): "env:\(name)"
        case .file(let path): "file:\(path)"
        }
    }
}

/// A secret and where it was found.
struct FoundSecret: Sendable {
    let secret: Secret
    let reference: SecretReference
}

extension Surroundings {
    /// Step three: what a reference refers to. The newline that editors leave at the end of a file is no part of a
    /// secret, nor is the byte order mark before it.
    /// - Parameter hasLines: whether it may have several lines, as PEM has.
    func find(_ reference: SecretReference, hasLines: Bool = false) throws(Wrong) -> FoundSecret {
        var bytes: [UInt8]
        switch reference {
        case .variable(let name):
            guard let value = environment(name) else { throw Wrong("the environment variable \(name) is not set") }
            bytes = Array(value.utf8)
            if bytes.allSatisfy(\.isBlank) { throw Wrong("the environment variable \(name) is empty") }
        case .file(let path):
            do {
                bytes = Array(try contents(path).withoutMark)
            } catch {
                throw Wrong("the file \(path) cannot be read: \(error)")
            }
            if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
            if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
            if bytes.allSatisfy(\.isBlank) { throw Wrong("the file \(path) is empty") }
        }
        // Secrets travel in headers and URLs, where a control character would be a second line.
        if bytes.contains(where: { $0.isControl && !(hasLines && $0.isBlank) }) {
            throw Wrong("the secret in \(reference) has a control character in it")
        }
        return FoundSecret(secret: Secret(bytes), reference: reference)
    }
}

extension [UInt8] {
    /// Without the UTF-8 byte order mark at its beginning.
    fileprivate var withoutMark: ArraySlice<UInt8> {
        starts(with: [0xef, 0xbb, 0xbf]) ? dropFirst(3) : self[...]
    }
}

private enum File {
    /// A configuration or a secret beyond this is a mistake: a device, a log, the wrong path.
    static let mostBytes = 1 << 20

    static func contents(of path: String) throws(SystemError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemError("open") }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw SystemError("read") }
            guard count > 0 else { return bytes }
            bytes += chunk[..<count]
            guard bytes.count <= mostBytes else { throw SystemError("read", code: EFBIG) }
        }
    }
}
