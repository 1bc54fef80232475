# For each function with a "Syscalls:" tag in the comment right above it: FILE FUNCTION CONTEXT WORD...
# CONTEXT is "setup" or "any"; the words are all that follow the tag.
function flush_tag(head,   words, context) {
	if (tag == "" || head !~ /\(/)
		return
	sub(/\(.*/, "", head)
	sub(/.*[ *]/, "", head)
	context = tag ~ /Context:[ ]*setup/ ? "setup" : "any"
	words = tag
	sub(/.*Syscalls:/, "", words)
	sub(/(Return|Context):.*/, "", words)
	gsub(/ (where|when|while|if) [^;,]*/, " ", words)
	gsub(/[^a-z0-9_]+/, " ", words)
	print FILENAME, head, context, words
}
FNR == 1 { comment = tag = "" }
/^[ \t]*\/\*/ { inside = 1; comment = "" }
inside {
	line = $0
	sub(/^[ \t]*\/?\*+\/?/, "", line)
	comment = comment " " line
	if ($0 ~ /\*\//) {
		inside = 0
		tag = comment ~ /Syscalls:/ ? comment : ""
	}
	next
}
/^[a-zA-Z_]/ { flush_tag($0); tag = ""; next }
/^[ \t]*$/ { tag = "" }
