@testable import Authentication

extension Verdict {
    /// Without what was seen; that has tests of its own.
    var bare: Verdict {
        if case .refused(let reason, _) = self { .refused(reason) } else { self }
    }
}
