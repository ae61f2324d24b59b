import CCurl
import Relay

/// The owner of one easy handle, and of the memory that its requests use one after the other. Confined to one loop.
///
/// libcurl points at this object and its buffers unretained: `deinit` frees the handle before them, and a handle is
/// taken out of its multi handle before its transfer is dropped.
final class Transfer {
    let easy: UnsafeMutableRawPointer
    /// Whose request it carries; nil while it is idle.
    var call: Call?
    /// The head of the header list: the one line that differs between requests, before those that do not.
    private let firstHeader: UnsafeMutablePointer<curl_slist>
    private var firstLine = ByteText(reserving: 128)
    private var upload = ByteText(reserving: 512)
    /// libcurl points at it for as long as the handle lives.
    private let url: ParsedURL
    private let mostBodyRead: Int
    /// libcurl reads it whenever it makes a connection for this handle.
    private let authorities: PinnedBytes?
    private let errorText: UnsafeMutablePointer<CChar>
    private var answerBody: [UInt8] = []
    /// More of the body came than is read.
    private var isCutShort = false
    /// The list that `firstHeader` goes on with; kept alive here.
    private var sharedHeaders: HeaderList?

    init(_ options: TransferOptions, sockets: CurlWatches) throws(CurlError) {
        guard let easy = curl_easy_init() else { throw CurlError("curl_easy_init", CURLE_OUT_OF_MEMORY) }
        self.easy = easy
        url = options.url
        mostBodyRead = options.mostBodyRead
        authorities = options.authorities
        firstHeader = .allocate(capacity: 1)
        firstHeader.initialize(to: curl_slist())
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        for option in options.all { try set(option) }
        try set(CURLOPT_CURLU, UnsafeRawPointer(options.url.handle))
        try set(CURLOPT_ERRORBUFFER, errorText)
        try set(CURLOPT_PRIVATE, Unmanaged.passUnretained(self).toOpaque())
        // The list is ours, and may be: a `curl_slist` is a public struct that libcurl only reads. So one line changes
        // in place, and nothing is allocated for the others.
        try set(CURLOPT_HTTPHEADER, firstHeader)
        try check(ccurl_easy_set_write(easy, bodyCallback), CURLOPT_WRITEFUNCTION)
        try set(CURLOPT_WRITEDATA, Unmanaged.passUnretained(self).toOpaque())
        try sockets.install(on: self)
    }

    deinit {
        // First: until here libcurl may write its words and read the headers.
        curl_easy_cleanup(easy)
        firstHeader.deallocate()
        errorText.deallocate()
    }

    // MARK: A request

    func prepare(_ request: Call.Request) throws(TransferFailure) {
        do throws(HeaderRefusal) {
            try HeaderRefusal.check(request.profileHeader, request.profileValue.utf8)
        } catch {
            throw TransferFailure(.badHeader, error.description)
        }
        firstLine.removeAll()
        firstLine.append(request.profileHeader)
        firstLine.append(": ")
        firstLine.append(request.profileValue)
        // A C string.
        firstLine.append(0)
        sharedHeaders = request.headers
        firstHeader.pointee.data = UnsafeMutableRawPointer(firstLine.start).assumingMemoryBound(to: CChar.self)
        firstHeader.pointee.next = request.headers.first
        errorText.pointee = 0
        answerBody.removeAll(keepingCapacity: answerBody.capacity <= TransferOptions.mostBodyReserved)
        isCutShort = false
        do throws(CurlError) {
            switch request.method {
            case .get:
                try set(.number(CURLOPT_HTTPGET, 1))
            case .post(let body):
                upload.removeAll()
                upload.append(body)
                try set(.number(CURLOPT_POST, 1))
                try set(CURLOPT_POSTFIELDS, upload.start)
                try set(.number(CURLOPT_POSTFIELDSIZE, body.count))
            }
        } catch {
            throw TransferFailure(.internalFault, error.description)
        }
    }

    // MARK: Its answer

    /// What a finished transfer came to.
    func ending(_ code: CURLcode) -> Ending {
        // A write error is ours then: we refused to read on, and what is needed is here.
        guard code == CURLE_OK || (code == CURLE_WRITE_ERROR && isCutShort) else {
            let detail = String(cString: errorText)
            let words = detail.isEmpty ? String(cString: curl_easy_strerror(code)) : detail
            return .failed(TransferFailure(code, words, wasSent: wasSent))
        }
        var status = 0
        ccurl_easy_get_long(easy, CURLINFO_RESPONSE_CODE, &status)
        return .answered(
            Answer(
                status: status, contentType: header("Content-Type") ?? "", requestID: header("Request-Id") ?? "",
                // Of interest where something failed.
                retryAfter: status < 300 ? nil : header("Retry-After"), body: answerBody, isWhole: !isCutShort))
    }

    /// Whether any byte of the request left.
    var wasSent: Bool {
        var bytes = 0
        ccurl_easy_get_long(easy, CURLINFO_REQUEST_SIZE, &bytes)
        return bytes > 0
    }

    /// A header of the final answer; nil where it is not there, is unreasonably long or holds control characters. It
    /// goes on into our own answers and logs, and libcurl would let those through.
    private func header(_ name: StaticString) -> String? {
        var found: UnsafeMutablePointer<curl_header>?
        let code = name.withUTF8Buffer { bytes in
            bytes.withMemoryRebound(to: CChar.self) {
                curl_easy_header(easy, $0.baseAddress, 0, UInt32(CURLH_HEADER), -1, &found)
            }
        }
        guard code == CURLHE_OK, let value = found?.pointee.value else { return nil }
        let text = String(cString: value)
        guard text.utf8.count <= 256, text.utf8.allSatisfy({ !$0.isControl }) else { return nil }
        return text
    }

    /// Keeps the beginning, then says no: the number returned is not the number offered.
    fileprivate func receive(_ bytes: UnsafeRawBufferPointer) -> Int {
        let room = mostBodyRead - answerBody.count
        isCutShort = bytes.count > room
        answerBody.append(contentsOf: bytes.prefix(room))
        return isCutShort ? 0 : bytes.count
    }

    // MARK: Options

    func set(_ option: TransferOption) throws(CurlError) {
        switch option {
        case .number(let option, let value): try check(ccurl_easy_set_long(easy, option, value), option)
        case .text(let option, let value): try check(ccurl_easy_set_string(easy, option, value), option)
        case .memory(let option, let value):
            try check(ccurl_easy_set_memory(easy, option, value.bytes.baseAddress, value.bytes.count), option)
        }
    }

    /// - Parameter pointer: memory that outlives the handle or the option.
    func set(_ option: CURLoption, _ pointer: UnsafeRawPointer) throws(CurlError) {
        try check(ccurl_easy_set_pointer(easy, option, pointer), option)
    }

    func check(_ code: CURLcode, _ option: CURLoption) throws(CurlError) {
        guard code != CURLE_OK else { return }
        let name = curl_easy_option_by_id(option).map { String(cString: $0.pointee.name) } ?? "\(option.rawValue)"
        throw CurlError("curl_easy_setopt \(name)", code)
    }
}

/// libcurl's write callback. Runs on the loop, inside `curl_multi_socket_action`.
private let bodyCallback: curl_write_callback = { bytes, size, count, context in
    guard let bytes, let context else { return 0 }
    let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    return transfer.receive(UnsafeRawBufferPointer(start: bytes, count: size * count))
}
