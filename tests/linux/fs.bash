# tests/linux/fs.bash: a directory that a guest with the job `fs` uses, and what must be so afterwards. Source it after
# tests/lib.sh. said_fact NAME is the last fact of that name that the guest has printed.

# sums DIR: one sum of all names, modes, owners, links and contents in it, as the job counts it
sums() {
	(cd "$1" && {
		find . -exec stat -c '%a %u %g %n' {} + | LC_ALL=C sort
		find . -type l | LC_ALL=C sort | xargs -n 1 readlink
		find . -type f -exec sha256sum {} + | cut -d' ' -f1 | LC_ALL=C sort
	} | sha256sum | cut -d' ' -f1)
}

# tree_make DIR
tree_make() {
	local n
	mkdir -p "$1/sub"
	for n in 1 2 3; do seq $((n * 10000)) >"$1/sub/file$n"; done
	chown 77:88 "$1/sub/file2"
	seq 5000 >"$1/moves"
	seq 5000 >"$1/cut"
	echo x >"$1/removed"
	ln -s sub/file1 "$1/link"
	ln -s /etc/shadow "$1/out"
}

# tree_check DIR SUMS: after the guest's work; SUMS were its sums before
tree_check() {
	is "the directory is a virtiofs" "$(said_fact type)" virtiofs
	is "the guest sees each file as it is" "$(said_fact sums)" "$2"
	is "it changes files" "$(said_fact changed)" yes
	is "a large file" "$(said_fact big)" $((32 << 20))
	is "what it wrote is there" "$(sha256sum <"$1/made/data")" "$( (seq 100000 && echo more) | sha256sum)"
	is "what it moved is there, twice" "$(cat "$1/made/hard")" "$(seq 5000)"
	is "the host sees its owner" "$(stat -c %u:%g "$1/made/moved")" 1234:5678
	is "the guest, too" "$(said_fact owner)" 1234:5678
	is "a user writes only where it may" "$(said_fact denied)" yes
	is "and owns what it wrote" "$(stat -c %u "$1/tmp/theirs")" 65534
	is "what it cut is short" "$(stat -c %s "$1/cut")" 1000
	is "what it removed is gone" "$(ls "$1/removed" 2>/dev/null)" ""
	is "modes and links" "$(stat -c %a "$1/made") $(readlink "$1/made/link")" "751 data"
	like "a file without a name is written" "$(said_fact unnamed)" deleted
	is "a name of 255 bytes" "$(said_fact long)" long
	is "a name that is no text" "$(said_fact raw)" raw
	is "a path of 100 directories" "$(said_fact deep)" deep
	is "a hole takes no room" "$(said_fact sparse)" 4
	is "eight writers lose nothing" "$(said_fact writers)" "$(cat "$1"/w*/b* | sha256sum | cut -d' ' -f1)"
	is "1500 files in a directory" "$(said_fact many)" 1500
	is "both sides see the same" "$(said_fact after)" "$(sums "$1")"
	is "also after it was mounted again" "$(said_fact again)" "$(sums "$1")"
	is "a read-only directory is read" "$(said_fact fixed)" fixed
	is "and not written" "$(said_fact refused)" 'Read-only file system'
}
