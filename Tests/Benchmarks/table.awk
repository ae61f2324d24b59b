# Makes the table of what run.sh noted: lines of ROUND CASE FIGURE VALUE.

{ figure[$1, $2, $3] = $4; if ($1 > rounds) rounds = $1 }
$3 == "instructions" { counted = 1 }

END {
    heading("", "goal", "realistic", "every new", "nginx+Lua")
    line("CPU per event / peer's", "cpu_ns", 0, "0.35, 1", "ratio")
    line("  the fold included", "all_cpu_ns", 0, "", "ratio")
    if (counted) line("instructions / peer's", "instructions", 0, "", "ratio")
    line("upstream requests / event", "upstream_millionths", 1e6, "0.1", "%.3f")
    line("CPU per event, us", "cpu_ns", 1000, "", "%.1f")
    line("  the fold included, us", "all_cpu_ns", 1000, "", "%.1f")
    if (counted) line("instructions per event, 1000s", "instructions", 1000, "", "%.1f")
    line("events / s", "events_per_second", 1, "", "%d")
    line("p50, ms", "p50_us", 1000, "", "%.2f")
    line("p99, ms", "p99_us", 1000, "", "%.2f")
    line("delivered so long after, ms", "delivered_ms", 1, "", "%d")
    line("most memory (RSS), MiB", "memory_kib", 1024, "", "%.1f")
    rounds = 0
    line("at half the load: events / s", "half_events_per_second", 1, "", "%d")
    line("  p50, ms", "half_p50_us", 1000, "", "%.2f")
    line("  p99, ms", "half_p99_us", 1000, "5", "%.2f")
    printf "\nidle: %.1f MiB (goal 32), ready after %d ms (goal 200); %d idle connections take %.1f MiB (goal 64)\n",
        figure[0, "idle", "memory_kib"] / 1024, figure[0, "idle", "ready_ms"], figure[0, "idle", "connections"],
        figure[0, "idle", "connections_kib"] / 1024
}

function heading(name, goal, a, b, c) { printf "%-30s%9s  %-27s%-27s%s\n", name, goal, a, b, c }

# A ratio is taken within each round; the peer has no fold.
function line(name, key, unit, goal, format,    text, kind, i) {
    split("realistic new peer", kinds, " ")
    for (i = 1; i <= 3; i++) {
        kind = kinds[i]
        text[i] = format == "ratio" ? ratios(kind, key) : values(kind, key, unit, format)
    }
    heading(name, goal, text[1], text[2], text[3])
}

function ratios(kind, key,    n, round, list, other) {
    for (round = 1; round <= rounds; round++) {
        other = figure[round, "peer", key == "all_cpu_ns" ? "cpu_ns" : key]
        if ((round, kind, key) in figure && other > 0) list[++n] = figure[round, kind, key] / other
    }
    return summary(list, n, 1, "%.2f")
}

function values(kind, key, unit, format,    n, round, list) {
    for (round = rounds > 0; round <= rounds; round++)
        if ((round, kind, key) in figure) list[++n] = figure[round, kind, key]
    return summary(list, n, unit, format)
}

# The median, and the lowest and the highest if there are several.
function summary(list, n, unit, format,    i, j, swap, middle, text) {
    if (n == 0) return ""
    for (i = 1; i < n; i++)
        for (j = i + 1; j <= n; j++)
            if (list[j] < list[i]) { swap = list[i]; list[i] = list[j]; list[j] = swap }
    middle = n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
    text = sprintf(format, middle / unit)
    if (n > 1) text = text " (" sprintf(format, list[1] / unit) " to " sprintf(format, list[n] / unit) ")"
    return text
}
