import Admin
import CoreMetrics
import Foundation

// Stages               every stage's nanoseconds per event: the median of some batches, the lowest and the highest
// Stages --steady      the names of those whose instructions can be counted
// Stages NAME COUNT    does a stage so many times and prints nothing: what callgrind runs

func time(_ work: Work) async throws -> [Duration] {
    let clock = ContinuousClock()
    func batch(_ count: Int) async throws -> Duration {
        let start = clock.now
        try await work.perform(count)
        return start.duration(to: clock.now)
    }
    var count = 64
    while try await batch(count) < .milliseconds(20) { count *= 2 }
    var times: [Duration] = []
    for _ in 0..<15 { times.append(try await batch(count) / count) }
    return times.sorted()
}

func show(_ stage: Stage) async throws {
    let work = try await stage.prepare()
    let times = try await time(work)
    await work.end()
    let columns = [times[times.count / 2], times[0], times[times.count - 1]].map { duration in
        String(format: "%9ld", Int(duration.components.attoseconds / 1_000_000_000))
    }
    print(stage.name.padding(toLength: 18, withPad: " ", startingAt: 0) + columns.joined())
}

func run(_ arguments: [String]) async throws {
    try FileManager.default.createDirectory(at: Node.folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: Node.folder) }
    switch (arguments.first, arguments.dropFirst().first.map { Int($0) }) {
    case (nil, nil):
        for stage in try Stage.all() { try await show(stage) }
    case ("--steady", nil):
        for stage in try Stage.all() where stage.isSteady { print(stage.name) }
    case (let name?, let count??):
        guard let stage = try Stage.all().first(where: { $0.name == name }) else {
            throw Surprise(words: "there is no stage \(name)")
        }
        let work = try await stage.prepare()
        try await work.perform(count)
        await work.end()
    default:
        throw Surprise(words: "usage: Stages | --steady | NAME COUNT")
    }
}

// As the program does it: counting is a part of what an event costs.
MetricsSystem.bootstrap(MetricsRegistry())
do {
    try await run(Array(CommandLine.arguments.dropFirst()))
} catch {
    FileHandle.standardError.write(Data("Stages: \(error)\n".utf8))
    exit(1)
}
