# shellcheck shell=bash
# tests/linux/cri.bash: calls of containerd's CRI as the kubelet makes them, by curl and protoc. Debian 12 has no client of it.
#
# cri_pod and cri_load hold the descriptions that the calls repeat. An error is printed as containerd words it, with status 1.

# cri_call METHOD MESSAGE TEXT [ANSWER]: TEXT, in protobuf's text form, is a MESSAGE; prints the ANSWER in that form
cri_call() {
	local message=$work/cri.message
	protoc --proto_path=tests/linux --encode="runtime.v1.$2" tests/linux/cri.proto <<<"$3" >"$message" || return
	# gRPC: a byte for "not compressed" and the length before each message
	printf '%010x' "$(stat -c %s "$message")" | sed 's/../\\x&/g' | xargs -0 printf '%b' >"$work/cri.body"
	cat "$message" >>"$work/cri.body"
	curl --silent --show-error --max-time $((60 * patience)) --http2-prior-knowledge --unix-socket /run/containerd/containerd.sock \
		-H 'content-type: application/grpc' -H 'te: trailers' --data-binary "@$work/cri.body" \
		--dump-header "$work/cri.head" --output "$work/cri.answer" "http://localhost/runtime.v1.RuntimeService/$1" || return
	if ! grep -q '^grpc-status: 0' "$work/cri.head"; then
		sed -n 's/^grpc-message: //p' "$work/cri.head" >&2
		return 1
	fi
	tail -c +6 "$work/cri.answer" | protoc --proto_path=tests/linux --decode="runtime.v1.${4:-Nothing}" tests/linux/cri.proto
}

cri_id() { sed -n 's/^id: "\(.*\)"$/\1/p'; }
# cri_run_pod HANDLER: prints its id
cri_run_pod() { cri_call RunPodSandbox RunPodSandbox "config { $cri_pod } runtime_handler: '$1'" Id | cri_id; }
# cri_create POD: a container of it, described by cri_load; prints its id
cri_create() { cri_call CreateContainer CreateContainer "pod: '$1' config { $cri_load } pod_config { $cri_pod }" Id | cri_id; }
# cri METHOD ID: of the other calls that need nothing else
cri() { cri_call "$1" Id "id: '$2'"; }
cri_pod_status() { cri_call PodSandboxStatus Id "id: '$1'" PodSandboxStatus; }
cri_status() { cri_call ContainerStatus Id "id: '$1'" ContainerStatus; }
cri_has() { cri_status "$1" | grep -q "$2"; }
cri_stop() { cri_call StopContainer StopContainer "id: '$1' timeout: ${2:-10}"; }
# cri_exec ID WORD...: what it prints, and its exit status unless that is 0
cri_exec() {
	local id=$1
	shift
	cri_call ExecSync ExecSync "id: '$id' timeout: 60 $(printf 'cmd: "%s" ' "$@")" ExecSyncAnswer | tr '\n' ' '
}
