# Reads the figures, lines of ROUND CASE FIGURE VALUE, and sums them up over the rounds. Others print them.

{ figure[$1, $2, $3] = $4; if ($1 > rounds) rounds = $1 }

function values(kind, key, unit,    n, round, list) {
    for (round = 0; round <= rounds; round++)
        if ((round, kind, key) in figure) list[++n] = figure[round, kind, key] / unit
    return summary(list, n)
}

# Taken within each round: there both had the same machine.
function ratios(kind, key, other, other_key,    n, round, list) {
    for (round = 0; round <= rounds; round++)
        if ((round, kind, key) in figure && figure[round, other, other_key] > 0)
            list[++n] = figure[round, kind, key] / figure[round, other, other_key]
    return summary(list, n)
}

# The median, and the lowest and the highest if there are several.
function summary(list, n,    i, j, swap, middle) {
    if (n == 0) return ""
    for (i = 1; i < n; i++)
        for (j = i + 1; j <= n; j++)
            if (list[j] < list[i]) { swap = list[i]; list[i] = list[j]; list[j] = swap }
    middle = n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
    return n == 1 ? short_number(middle) : short_number(middle) " (" short_number(list[1]) "-" short_number(list[n]) ")"
}

# Three digits: no more of it would be seen again.
function short_number(value) {
    if (value >= 99.95) return sprintf("%.0f", value)
    if (value >= 9.995) return sprintf("%.1f", value)
    return sprintf("%.2f", value)
}
