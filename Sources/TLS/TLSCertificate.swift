import CTLS
import Glibc

/// What is said of a certificate in logs and metrics.
package struct TLSCertificate: Sendable, Equatable {
    /// The last second of its life, in seconds since 1970.
    package let notAfter: Int64
    /// The SHA-256 of all of it, in lower-case hexadecimal.
    package let fingerprint: String
    /// The subject's common name, if it has one.
    package let commonName: String?

    /// - Parameter certificate: an `X509`, which stays the caller's.
    init(_ certificate: OpaquePointer) {
        var time = tm()
        // Fails only for a time that is none, which no certificate has that was read.
        let isTime = ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &time) == 1
        notAfter = isTime ? Int64(timegm(&time)) : 0

        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        X509_digest(certificate, EVP_sha256(), &digest, &count)
        let digits = Array("0123456789abcdef".utf8)
        fingerprint = String(
            decoding: digest[..<Int(count)].flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)

        var name = [CChar](repeating: 0, count: 256)
        let length = X509_NAME_get_text_by_NID(
            X509_get_subject_name(certificate), NID_commonName, &name, Int32(name.count))
        commonName =
            length > 0
            ? String(decoding: name.prefix(Int(length)).map(UInt8.init(bitPattern:)), as: UTF8.self) : nil
    }
}

extension TLSCertificate {
    /// How many certificates a file of authorities holds. One that is damaged ends the count, as it does where such a
    /// file is used.
    package static func count(inPEM bytes: [UInt8]) -> Int {
        guard let length = Int32(exactly: bytes.count) else { return 0 }
        defer { ERR_clear_error() }
        return bytes.withUnsafeBytes { bytes in
            guard let memory = BIO_new_mem_buf(bytes.baseAddress, length) else { return 0 }
            defer { BIO_free(memory) }
            var count = 0
            while let certificate = PEM_read_bio_X509(memory, nil, nil, nil) {
                X509_free(certificate)
                count += 1
            }
            return count
        }
    }
}
