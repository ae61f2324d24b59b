import Relay

@testable import Authentication
@testable import Vendors

extension Fuzzer {
    /// The two readers of queries and forms: the one that takes credentials out, and the one that reads payloads.
    static let query = Fuzzer(
        name: "Query", words: ["token=", "%74oken", "&&", "%00", "%C2%80", "+", "="],
        seeds: { repository in
            try repository.files(in: "Tests/VendorsTests/Fixtures", ".query", ".form").map(\.bytes)
                + ["token=abc&a=b", "a=b&%74oken=x%2By&token=", "&=&a=&=b&%", "a=%C3%A9&b=%FF"].map { Array($0.utf8) }
        },
        run: { input in
            let name = Array("token".utf8)
            let text = input.text
            var query = text
            let values = QueryText.take(name, from: &query)
            claim(query.utf8.count <= text.utf8.count, "a query grew")
            claim(!values.isEmpty || query.isSameBytes(as: text), "a query without a token changed")
            claim(values.allSatisfy { $0.count <= text.utf8.count }, "a value is longer than the query")
            var rest = query
            claim(QueryText.take(name, from: &rest).isEmpty, "a token stayed in the query")

            let bytes = Array(input.rest)
            let parameters = Parameters()
            bytes.withUnsafeBufferPointer { buffer in
                var read = 0
                guard let form = parameters.parse(buffer) else { return }
                for (name, value) in form.members {
                    read += name.count + value.text.count + 1
                    claim(!value.text.isEmpty, "a parameter has no value")
                    claim(
                        value.kind == .brokenString || String(validating: value.text, as: UTF8.self) != nil,
                        "a value is no text")
                }
                claim(read <= bytes.count, "more came out than went in")
            }
            withExtendedLifetime(parameters) {}
        })
}
