import CCurl
import Relay

/// What every request of an app has in common, in the units of libcurl.
struct TransferOptions: Sendable {
    /// A body up to here leaves its memory to the next one.
    static let mostBodyReserved = 65536

    let url: ParsedURL
    /// Of an answer's body, this much is read. v1 answers with the whole profile, which with years of purchases has
    /// some hundred kilobytes and is relayed; v2 says little.
    let mostBodyRead: Int
    let connectTimeout: Duration
    /// What libcurl is told.
    var timeout: Duration
    /// When the loop gives up whether libcurl did or not: later than `timeout`, or libcurl's better words would never
    /// be heard.
    var deadline: Duration
    let connections: Int
    let idleTimeout: Duration
    /// One copy for all handles.
    let authorities: PinnedBytes?

    init(_ settings: AdaptyAPI.Settings, endpoint: Endpoint) {
        url = endpoint.url
        mostBodyRead = settings.version == .v1 ? 1 << 20 : 65536
        connectTimeout = settings.connectTimeout
        timeout = settings.timeout
        deadline = settings.timeout + .seconds(1)
        connections = max(1, settings.connections)
        idleTimeout = settings.idleTimeout
        authorities = settings.authorities.map { PinnedBytes($0) }
    }

    /// For a document of somebody else's.
    init(getting url: ParsedURL, mostBytes: Int, timeout: Duration) {
        self.url = url
        mostBodyRead = mostBytes
        connectTimeout = timeout
        self.timeout = timeout
        deadline = timeout + .seconds(1)
        connections = 1
        idleTimeout = .seconds(50)
        authorities = nil
    }
}

/// One option's name, as `curl_easy_setopt` has it, and a value that libcurl keeps or copies.
enum TransferOption {
    case number(CURLoption, Int)
    case text(CURLoption, String)
    /// Memory that libcurl reads for as long as the handle is used.
    case memory(CURLoption, PinnedBytes)
}

/// Bytes that stay where they are for as long as this object lives.
final class PinnedBytes: Sendable {
    // nonisolated(unsafe): written before anybody else has it, and never again.
    nonisolated(unsafe) let bytes: UnsafeMutableRawBufferPointer

    init(_ bytes: [UInt8]) {
        self.bytes = .allocate(byteCount: bytes.count, alignment: 1)
        self.bytes.copyBytes(from: bytes)
    }

    deinit {
        bytes.deallocate()
    }
}

extension TransferOptions {
    /// Set once a handle; they survive its requests.
    var all: [TransferOption] {
        var options: [TransferOption] = [
            // Signals are the process's own. With this, curl sends with MSG_NOSIGNAL and times name look-ups without
            // SIGALRM.
            .number(CURLOPT_NOSIGNAL, 1),
            // HTTP/2 in 7.88 loses requests at GOAWAY, reuses connections badly and costs more.
            .number(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1),
            .text(CURLOPT_PROTOCOLS_STR, "http,https"),
            .number(CURLOPT_FOLLOWLOCATION, 0),
            // Verified whatever the default of this build is. 2: the name must match.
            .number(CURLOPT_SSL_VERIFYPEER, 1),
            .number(CURLOPT_SSL_VERIFYHOST, 2),
            .number(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2)),
            .number(CURLOPT_CONNECTTIMEOUT_MS, connectTimeout.atLeastOneMillisecond),
            .number(CURLOPT_TIMEOUT_MS, timeout == .zero ? 0 : timeout.atLeastOneMillisecond),
            // Where the upstream closes a connection just as a request goes out on it, libcurl sends that again on a
            // new one, if no byte of an answer has come. Harmless: a patch is state.
            .number(CURLOPT_MAXAGE_CONN, max(1, Int(idleTimeout.components.seconds))),
            // However busy, a connection ends some day: the name may point elsewhere by then.
            .number(CURLOPT_MAXLIFETIME_CONN, 600),
            // Ending a transfer would wait for its name look-up, and with it the loop, for as long as a dead resolver
            // takes. The look-up's thread is left to end by itself instead; it frees what it holds.
            .number(CURLOPT_QUICK_EXIT, 1),
            // The environment has no say: these two override http_proxy, no_proxy and their kin; no file gives a
            // password.
            .text(CURLOPT_PROXY, ""),
            .text(CURLOPT_NOPROXY, "*"),
            .number(CURLOPT_NETRC, Int(CURL_NETRC_IGNORED.rawValue)),
            .text(CURLOPT_USERAGENT, "patchbay"),
            // Each handle keeps its buffers, and ours carry a kilobyte or two. The smallest that libcurl allows for an
            // upload.
            .number(CURLOPT_BUFFERSIZE, 8192),
            .number(CURLOPT_UPLOAD_BUFFERSIZE, 16384),
        ]
        // Not the file: it may be another by the time that a connection is made.
        if let authorities { options.append(.memory(CURLOPT_CAINFO_BLOB, authorities)) }
        return options
    }
}

extension Duration {
    /// libcurl reads 0 as "its default", which is minutes or never.
    fileprivate var atLeastOneMillisecond: Int { Int(max(1, min(milliseconds, Int64(Int32.max)))) }
}
