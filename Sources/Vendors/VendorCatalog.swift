package import Relay

/// Every vendor that this process knows, ready to read what it sends.
///
/// A webhook's payload is one event or a batch; each event comes to a patch or to a skip with its reason. A client's
/// payload is one patch or a refusal: there somebody reads the answer.
package struct VendorCatalog: Normalizer {
    private let plans: [String: Plan]
    private let dialects: [String: any Dialect]
    private let pool = ScratchPool()

    /// - Parameter declared: vendors from the configuration, and additions to built-in ones of the same name.
    /// - Throws: the first mistake in them, in a sentence.
    package init(extending declared: [VendorDeclaration] = []) throws(Place.Mistake) {
        var vendors = Dictionary(uniqueKeysWithValues: Vendor.builtIn.map { ($0.name, $0) })
        for declaration in declared {
            vendors[declaration.name] = try declaration.extend(vendors[declaration.name])
        }
        plans = vendors.mapValues { Plan($0) }
        dialects = vendors.mapValues { $0.dialect ?? PolicyDialect(policy: .of($0.name)) }
    }

    /// Built-in and declared, in alphabetical order.
    package var vendorNames: [String] { plans.keys.sorted() }

    package func knows(vendor: String) -> Bool { plans[vendor] != nil }

    package func dialect(of vendor: String) -> any Dialect { dialects[vendor] ?? PlainDialect() }

    package func normalize(
        _ request: Request, through entrance: Entrance, of subject: Subject?
    ) throws(Refusal) -> Normalization {
        try normalize(request, through: entrance, of: subject, trace: nil)
    }

    /// The same, and how it came about.
    package func explain(
        _ request: Request, through entrance: Entrance
    ) -> (result: Result<Normalization, Refusal>, trace: Trace) {
        let trace = Trace()
        do throws(Refusal) {
            return (.success(try normalize(request, through: entrance, of: nil, trace: trace)), trace)
        } catch {
            return (.failure(error), trace)
        }
    }

    package func profile(of request: Request, of subject: Subject?) throws(Refusal) -> ProfileReference {
        try ClientReference(request.headers).profile(or: subject)
    }

    private func normalize(
        _ request: Request, through entrance: Entrance, of subject: Subject?, trace: Trace?
    ) throws(Refusal) -> Normalization {
        try pool.borrow { scratch throws(Refusal) in
            switch entrance {
            case .hook(let source):
                guard let plan = plans[source.vendor] else { throw .notFound }
                var reader = EventReader(plan, scratch, received: request.received, trace: trace)
                return try reader.read(request)
            case .client(let vendor):
                guard let plan = plans[vendor] else { throw .notFound }
                let payload = ClientPayload(
                    names: plan.clientNames, meaningless: plan.meaningless,
                    nobody: plan.vendor.customerUserID.meaningless, isDropIn: false)
                return try payload.read(request, of: subject, scratch)
            case .dropIn(let version):
                return try ClientPayload(names: .adapty(version), isDropIn: true).read(request, of: subject, scratch)
            }
        }
    }
}
