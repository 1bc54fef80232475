# From arrows "A B" (A uses B), one a line: on which floor each unit stands, and what stands in a circle.
#
#   floor UNIT N      one above the highest unit that it uses; a circle stands on one floor
#   up A B            an arrow between two units of one circle: no order of the floors makes it run down
#   circle A B C ...  units that use each other, straight or through others
!($1 in seen) { seen[$1] = 1; unit[++n] = $1 }
!($2 in seen) { seen[$2] = 1; unit[++n] = $2 }
$1 != $2 && !(($1, $2) in arrow) { arrow[$1, $2] = 1; out[$1] = out[$1] " " $2 }

# reach(A): mark all that A uses, straight or through others
function reach(from, list, i, k, to)
{
	k = split(out[from], list, " ")
	for (i = 1; i <= k; i++) {
		to = list[i]
		if (!((top, to) in uses)) {
			uses[top, to] = 1
			reach(to)
		}
	}
}

# floor(A): one above all that it uses outside its circle
function floor(a, list, i, j, k, f, high, b)
{
	if (a in at)
		return at[a]
	high = 0
	for (i = 1; i <= n; i++) {
		b = unit[i]
		if (b != a && !same(a, b))
			continue
		k = split(out[b], list, " ")
		for (j = 1; j <= k; j++)
			if (!same(a, list[j]) && list[j] != a) {
				f = floor(list[j])
				if (f > high)
					high = f
			}
	}
	return at[a] = high + 1
}

function same(a, b) { return ((a, b) in uses) && ((b, a) in uses) }

END {
	for (i = 1; i <= n; i++) {
		top = unit[i]
		reach(top)
	}
	for (i = 1; i <= n; i++) {
		a = unit[i]
		print "floor", a, floor(a)
		line = ""
		for (j = 1; j <= n; j++) {
			b = unit[j]
			if (a == b || !same(a, b))
				continue
			line = line " " b
			if ((a, b) in arrow)
				print "up", a, b
			if (b in told)
				told[a] = 1
		}
		if (line != "" && !(a in told)) {
			print "circle", a line
			told[a] = 1
		}
	}
}
