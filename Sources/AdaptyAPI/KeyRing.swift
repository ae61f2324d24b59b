import Relay
import Synchronization

/// An app's secret keys, and which of them worked last.
final class KeyRing: Sendable {
    struct Key: Sendable {
        let position: Int
        /// `Authorization` and what else every request of this app carries.
        let headers: HeaderList
    }

    private let keys: [Key]
    private let secrets: [Secret]
    private let currentPosition = Atomic(0)

    init(_ secrets: [Secret]) throws(AdaptyAPI.Settings.Mistake) {
        guard !secrets.isEmpty else { throw AdaptyAPI.Settings.Mistake("secret_key", "There is none.") }
        var keys: [Key] = []
        for (position, secret) in secrets.enumerated() {
            do throws(HeaderRefusal) {
                guard !secret.isEmpty else { throw HeaderRefusal(name: "Authorization", reason: "is empty") }
                let value = secret.reveal { Array("Api-Key ".utf8) + $0 }
                let headers = try HeaderList(
                    [("Authorization", value), ("Content-Type", Array("application/json".utf8))],
                    // libcurl would ask for 100 (Continue) before a large body, and wait a second for it.
                    without: ["Expect"])
                keys.append(Key(position: position, headers: headers))
            } catch {
                throw AdaptyAPI.Settings.Mistake("secret_key", "Key \(position + 1) cannot be sent: \(error.reason).")
            }
        }
        self.keys = keys
        self.secrets = secrets
    }

    var count: Int { keys.count }

    /// The one that worked last.
    var current: Key { keys[currentPosition.load(ordering: .relaxed)] }

    /// Each key once, the one that worked last first.
    var all: [Key] {
        let first = currentPosition.load(ordering: .relaxed)
        return keys.indices.map { keys[(first + $0) % keys.count] }
    }

    func others(than key: Key) -> [Key] { all.filter { $0.position != key.position } }

    func remember(_ key: Key) {
        guard currentPosition.load(ordering: .relaxed) != key.position else { return }
        currentPosition.store(key.position, ordering: .relaxed)
    }

    /// Shorter ones than a real key ever is are not looked for: they may be part of any word.
    static let leastBytes = 8

    /// Writes `*` over any of the keys.
    func redact(_ text: inout [UInt8]) {
        for secret in secrets {
            secret.reveal { key in
                if key.count >= Self.leastBytes { text.overwrite(occurrencesOf: key, with: UInt8(ascii: "*")) }
            }
        }
    }
}

extension [UInt8] {
    fileprivate mutating func overwrite(occurrencesOf needle: [UInt8], with byte: UInt8) {
        guard !needle.isEmpty, count >= needle.count else { return }
        for start in 0...(count - needle.count)
        where self[start] == needle[0] && self[start..<start + needle.count].elementsEqual(needle) {
            for index in start..<start + needle.count { self[index] = byte }
        }
    }
}
