# tests/linux/fs.bash: a directory that a guest with the job `fs` uses, and what must be so afterwards. Source it after
# tests/lib.sh. said_fact NAME is the last fact of that name that the guest has printed.

# fs_build DIR: the bundle of that guest. fsx takes FSX_STEPS steps, with FSX_SEED and with a 1 before that.
fsx_steps=${FSX_STEPS:-100} fsx_seed=${FSX_SEED:-1}
fs_build() {
	bundle-examples/build --image-size 16 --job tests/linux/jobs/fs --program "${B:-build}/tests/linux/fsx" --program "${B:-build}/tests/linux/lock_file" \
		--param "fsx=$fsx_steps,$fsx_seed" "$1"
}

# sums DIR: one sum of all names, modes, owners, links and contents in it, as the job counts it
sums() {
	(cd "$1" && {
		find . -exec stat -c '%a %u %g %n' {} + | LC_ALL=C sort
		find . -type l | LC_ALL=C sort | xargs -r -n 1 readlink
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
	git init -q --template= "$1/repo"
	cp "$1"/sub/file? "$1/repo/"
	git_in "$1/repo" add .
	git_in "$1/repo" commit -qm host
}
git_in() { git -C "$1" -c user.name=host -c user.email=host -c safe.directory='*' "${@:2}"; }

# fixed_make DIR: a directory that is only read: with the kernel's headers (linux-libc-dev has 760) or what is in $fs_headers
# of them
fixed_make() {
	mkdir -p "$1/linux"
	echo fixed >"$1/file"
	# shellcheck disable=SC2086
	tar czf "$1/headers.tar.gz" -C /usr/include ${fs_headers:-linux}
	tar xzf "$1/headers.tar.gz" -C "$1"
	sums "$1/linux" >"$1/headers.sums"
}

# fsx_check DIR TAG: with this way of caching, fsx has found no fault, and the host has what it wrote
fsx_check() {
	local seed
	for seed in "$fsx_seed" "1$fsx_seed"; do
		like "fsx, $2, seed $seed" "$(said_fact "fsx-$2-$seed")" "^$fsx_steps steps"
		succeeds "fsx, $2, seed $seed: the host has it, too" cmp "$1/fsx-$2-$seed" "$1/fsx-$2-$seed.model"
	done
}

# git_check DIR: a guest that has the host's /usr has worked with a repository
git_check() {
	is "git clone: status is clean" "$(said_fact cloned)" 0
	is "git status finds what was changed" "$(said_fact status)" "D file2  M file3 "
	is "git commit: the host sees it" "$(git_in "$1/clone" rev-parse HEAD)" "$(said_fact commit)"
	is "git finds no fault on the host" "$(git_in "$1/clone" fsck --strict 2>&1)$(git_in "$1/clone" status --porcelain)" ""
}

# tree_check DIR SUMS FIXED: after the guest's work; SUMS were its sums before
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
	is "a tree of headers, unpacked" "$(said_fact headers)" "$(cat "$3/headers.sums")"
	fsx_check "$1" share
	is "eight writers lose nothing" "$(said_fact writers)" "$(cat "$1"/w*/b* | sha256sum | cut -d' ' -f1)"
	is "400 files in a directory" "$(said_fact many)" 400
	is "both sides see the same" "$(said_fact after)" "$(sums "$1")"
	is "also after it was mounted again" "$(said_fact again)" "$(sums "$1")"
	is "a read-only directory is read" "$(said_fact fixed)" fixed
	is "and not written" "$(said_fact refused)" 'Read-only file system'
}

# many_check DIR: files in a directory, made by the host: $FS_MANY (20,000) of them, more than the device has fds
many_check() {
	local many=${FS_MANY:-20000}
	mkdir "$1/many" && (cd "$1/many" && seq "$many" | xargs touch)
	is "$many files in a directory are listed" "$(guest_does list 'ls /share/many | wc -l')" "$many "
	is "and found" "$(guest_does find 'find /share/many -type f | wc -l')" "$many "
	is "and removed" "$(guest_does remove 'rm -r /share/many; ls -d /share/many 2>&1 | sed "s/.*: //"')" "No such file or directory "
	is "the host sees that" "$(ls -d "$1/many" 2>&1 | sed 's/.*: //')" "No such file or directory"
}

# storm DIR: change, rename and remove files in it for as long as DIR/on exists
storm() {
	local n
	while [ -e "$1/on" ]; do
		for n in 1 2 3 4 5 6; do printf '%s\n' $((RANDOM * RANDOM)) {1..3000} >"$1/file$n"; done
		mkdir -p "$1/sub" && mv "$1"/file[123] "$1/sub/" && mv "$1/file4" "$1/sub/file1" && rm -r "$1/sub" "$1/file5"
	done
}

# storm_check DIR: the host changes, renames and removes files while the guest reads the same ones. guest_does TAG
# COMMAND is the guest's answer.
storm_check() {
	local said
	mkdir -p "$1/storm" && : >"$1/storm/on"
	storm "$1/storm" &
	said=$(guest_does storm 'for i in $(seq 40); do cat /share/storm/file* /share/storm/sub/file*; ls -l /share/storm /share/storm/sub; done 2>&1 >/dev/null | sed "s/.*: //" | sort -u')
	rm "$1/storm/on"
	wait $!
	is "files that the host moves: they are there or not" "$said" "No such file or directory "
	is "and in the end as the host has them" "$(guest_does calm 'sleep 2; cd /share/storm; md5sum * | md5sum | cut -d" " -f1')" \
		"$(cd "$1/storm" && md5sum ./* | sed 's|\./||' | md5sum | cut -d' ' -f1) "
}
