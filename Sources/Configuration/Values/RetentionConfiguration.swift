/// `retention`: when the outbox forgets. What is not delivered is never forgotten.
package struct RetentionConfiguration: Sendable, Equatable {
    /// How long a profile whose patches were delivered is remembered after its last change. Until then a repetition is
    /// known as one, and an event that comes late as late. At least every app's `reassert_after`. Default: 30d.
    package let applied: Duration
    /// How long dead letters are kept. Default: 30d.
    package let deadLetters: Duration
    /// Beyond this size of the file delivered profiles are forgotten whatever their age, 1 MiB or more. Default: 4 GiB.
    package let fileBytes: Int
    /// How many delivered profiles are kept in memory, about 450 bytes each; of the others a repetition is looked up in
    /// the file. Default: 100,000.
    package let profilesInMemory: Int

    init(_ section: Section) {
        applied = section.value("applied", .duration, default: .seconds(30 * 86_400))
        deadLetters = section.value("dead_letters", .duration, default: .seconds(30 * 86_400))
        fileBytes = section.value("file_bytes", .size((1 << 20)...(1 << 50)), default: 4 << 30)
        profilesInMemory = section.value("profiles_in_memory", .integer(0...100_000_000), default: 100_000)
    }
}
