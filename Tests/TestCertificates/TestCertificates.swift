import Foundation

/// Certificates made for a test by the `openssl` command, in a folder that goes with them.
package final class TestCertificates: Sendable {
    /// A certificate and its key, as paths of PEM files.
    package struct Pair: Sendable {
        package let certificate: String
        package let key: String
    }

    package struct Failed: Error {
        package let command: String
    }

    package let folder: String

    package init() throws {
        folder = FileManager.default.temporaryDirectory.path + "/patchbay-tls-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// - Parameters:
    ///   - file: what the files are called, `file.pem` and `file.key`.
    ///   - authority: who signs it; itself if nil, and then it may sign others.
    package func make(_ file: String, name: String = "localhost", by authority: Pair? = nil) throws -> Pair {
        let pair = Pair(certificate: "\(folder)/\(file).pem", key: "\(folder)/\(file).key")
        var arguments = [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", "/CN=\(name)", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", pair.key,
            "-out", pair.certificate,
        ]
        if let authority {
            arguments += ["-CA", authority.certificate, "-CAkey", authority.key]
            arguments += ["-addext", "basicConstraints=critical,CA:FALSE"]
        }
        try openssl(arguments)
        return pair
    }

    /// The same key under a passphrase.
    package func encrypted(_ pair: Pair) throws -> String {
        let path = pair.key + ".encrypted"
        try openssl(["pkcs8", "-topk8", "-in", pair.key, "-out", path, "-passout", "pass:canary"])
        return path
    }

    package func write(_ text: String, to file: String) throws -> String {
        let path = folder + "/" + file
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    /// Puts one pair where another stood, as a renewal does.
    package func replace(_ old: Pair, with new: Pair) throws {
        for (from, to) in [(new.certificate, old.certificate), (new.key, old.key)] {
            try Data(contentsOf: URL(fileURLWithPath: from)).write(to: URL(fileURLWithPath: to))
        }
    }

    private func openssl(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failed(command: arguments.joined(separator: " ")) }
    }
}
