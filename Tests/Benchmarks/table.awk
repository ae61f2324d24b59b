# Makes run.sh's table of the figures that summary.awk reads. From run.sh: short, and cases, the columns.

BEGIN {
    split("realistic new client tls loops", keys, " ")
    split("realistic,every new,client waits,TLS upstream,two loops", names, ",")
    for (i in keys) name[keys[i]] = names[i]
    split("0.35 1 - - -", goals, " ")
    for (i in keys) goal[keys[i]] = goals[i]
    columns = split(cases, column, " ")
    peer = "nginx+Lua"
}

$3 == "instructions" { counted = 1 }

END {
    if (short) {
        for (i = 1; i <= columns; i++)
            printf "CPU per event / %s's, %s: %s; the goal is at most %s\n", peer, name[column[i]],
                ratios(column[i], "cpu_ns", "peer_" column[i], "cpu_ns"), goal[column[i]]
        exit
    }
    line("", "heading")
    line("CPU per event / " peer "'s", "ratio", "cpu_ns", "cpu_ns")
    line("  goal, at most", "goal")
    line("  the fold included", "ratio", "all_cpu_ns", "cpu_ns")
    if (counted) line("instructions / " peer "'s", "ratio", "instructions", "instructions")
    line("events per second / its", "ratio", "events_per_second", "events_per_second")
    line("upstream requests / event", "own", "upstream_millionths", 1e6)
    both("CPU per event, us", "cpu_ns", 1000)
    line("  the fold included", "own", "all_cpu_ns", 1000)
    if (counted) both("instructions / event, 1000s", "instructions", 1000)
    both("events per second, 1000s", "events_per_second", 1000)
    line("all delivered after, ms", "own", "delivered_ms", 1)
    both("most memory (RSS), MiB", "memory_kib", 1024)
    print ""
    print "at half of its own speed, from when a request was due"
    both("events per second, 1000s", "half_per_second", 1000)
    both("p50, ms", "p50_us", 1000)
    both("p99, ms", "p99_us", 1000)
    both("p99.9, ms", "p999_us", 1000)
    line("within 5 ms, own clock, %", "own", "within_5ms_millionths", 1e4)
    printf "\nidle: %.1f MiB (goal 32), ready after %d ms (goal 200); %d idle connections take %.1f MiB (goal 64)\n",
        figure[0, "idle", "memory_kib"] / 1024, figure[0, "idle", "ready_ms"], figure[0, "idle", "connections"],
        figure[0, "idle", "connections_kib"] / 1024
}

function both(label, key, unit) {
    line(label, "own", key, unit)
    line("  " peer, "peer", key, unit)
}

# key and more: two figures for a ratio, else a figure and its unit.
function line(label, what, key, more,    i, kind, text) {
    printf "%-28s", label
    for (i = 1; i <= columns; i++) {
        kind = column[i]
        if (what == "heading") text = name[kind]
        else if (what == "goal") text = goal[kind]
        else if (what == "ratio") text = ratios(kind, key, "peer_" kind, more)
        else if (what == "own") text = values(kind, key, more)
        else text = values("peer_" kind, key, more)
        printf i < columns ? "%-19s" : "%s", text
    }
    print ""
}
