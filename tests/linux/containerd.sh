#!/bin/bash
# Debian's containerd, by ctr and by its CRI, buildah and `podman build` run containers by vmrun.
#
# RUNTIME=runc tests/linux/containerd.sh asks runc the same.
cd "$(dirname "$0")/../.." || exit 1
. tests/linux/containers.bash
containers_run "$@"
. tests/linux/cri.bash
runtime=$(containers_runtime)
containers_image
podman save --quiet --format oci-archive -o "$work/image.tar" $image >"$work/out" 2>&1 || cat "$work/out"
containerd --log-level error >"$work/containerd.log" 2>&1 &
containerd=$!
finish() {
	kill $containerd
	wait
	cleanup
}
trap finish EXIT
succeeds "containerd is up" eventually 30 ctr version
succeeds "ctr image import" ctr image import --snapshotter native "$work/image.tar"
say "containerd is up"

ctr_run() { ctr run --snapshotter native --runc-binary "$runtime" "$@"; }
in_k3() { ctr task exec --exec-id "e$((RANDOM * 32768 + RANDOM))" "$@"; }
# status_of ID: its task's status, as ctr lists it
status_of() { ctr task ls | awk -v id="$1" '$1 == id { print $3 }'; }
has_status() { [ "$(status_of "$1")" = "$2" ]; }

answers "ctr run: exit status" 9 '^out$' ctr_run --rm $image k1 sh -c 'echo out; exit 9'
is "ctr run -t: a terminal" "$(typed 'hello\n' ctr run --snapshotter native --runc-binary "$runtime" --rm -t $image k2 sh -c 'echo ready; read -r x; echo "got $x"; tty; exit 4')" "ready
hello
got hello
/dev/pts/0
status 4"
answers "ctr run: no such program" 1 'nonexistent.*(no such file|executable file not found)' ctr_run --rm $image bad nonexistent
is "a container that failed: nothing is left" "$(ctr task ls -q; ls -A /run/containerd/runc/default)" ""
say "ctr run"

answers "ctr run -d" 0 '' ctr_run -d --env A=b --mount "type=bind,src=$work,dst=/mnt,options=rbind:ro" $image k3 sh -c \
	'trap "exit 3" TERM; echo >/tmp/up; while :; do sleep 1 & wait; done'
is "ctr task ls" "$(status_of k3)" RUNNING
answers "ctr task exec: exit status" 3 '^b$' in_k3 k3 sh -c 'echo $A; exit 3'
answers "ctr run --mount: read-only" 1 'Read-only file system' in_k3 k3 touch /mnt/x
answers "ctr task exec: no such program" 1 'nonexistent.*executable file not found' in_k3 k3 nonexistent
is "ctr task exec -t: a terminal" "$(typed '' ctr task exec -t --exec-id e9 k3 sh -c 'sleep 1; tty')" "/dev/pts/0
status 0"
seq 300000 >"$work/numbers"
is "ctr task exec: input" "$(in_k3 k3 sha256sum <"$work/numbers")" "$(sha256sum <"$work/numbers")"
like "ctr task ps" "$(ctr task ps k3)" "^$(ctr task ls | awk '$1 == "k3" { print $2 }') "
answers "ctr task metrics" 0 'memory' ctr task metrics k3
answers "ctr task pause" 0 '' ctr task pause k3
is "ctr task pause: the state" "$(status_of k3)" PAUSED
answers "ctr task resume" 0 '' ctr task resume k3
answers "ctr task resume: exec" 0 '^on$' in_k3 k3 echo on
answers "ctr task kill: TERM" 0 '' ctr task kill -s SIGTERM k3
succeeds "ctr task kill: it ends itself" eventually 20 has_status k3 STOPPED
answers "ctr task rm: its exit status" 0 'exit code 3' ctr task rm k3
answers "ctr container rm" 0 '' ctr container rm k3
is "nothing is left" "$(ctr task ls -q; ls -A /run/containerd/runc/default)" ""
say "containerd"

# A pod, as the kubelet asks for it by the CRI with a RuntimeClass
podman import --quiet --change 'CMD=["/bin/sleep","100000"]' "$B/containers/rootfs.tar" localhost/pause:1 >"$work/out" 2>&1 || cat "$work/out"
for i in pause busybox; do
	podman save --quiet --format oci-archive -o "$work/$i.tar" localhost/$i:1 >"$work/out" 2>&1 || cat "$work/out"
	ctr -n k8s.io image import --snapshotter native "$work/$i.tar" >"$work/out" 2>&1 || cat "$work/out"
done
cri_pod="metadata { name: 'web' uid: 'u' namespace: 'default' } hostname: 'web-0' log_directory: '$work/logs' linux { security { namespaces { pid: CONTAINER } } }"
load() { # load NAME SCRIPT
	cri_load="metadata { name: '$1' } image { image: '$image' } command: 'sh' command: '-c' command: '$2' log_path: '$1.log'
		mounts { container_path: '/mnt' host_path: '$work/data' readonly: true }
		linux { resources { memory_limit_in_bytes: 268435456 } security { namespaces { pid: CONTAINER } } }"
}
has_said() { grep -q "$2" "$work/logs/$1.log" 2>/dev/null; }
mkdir "$work/data" && echo from-host >"$work/data/file"
pod=$(cri_run_pod vmrun)
like "CRI: a pod" "$pod" '^[0-9a-f]{64}$'
address=$(cri_pod_status "$pod" | sed -n 's/.* ip: "\(.*\)"/\1/p')
like "CRI: it has an address" "$address" '^10\.99\.0\.'
load main 'trap "exit 3" TERM; httpd -p 8000 -h /mnt; hostname; touch /mnt/x; echo up; while :; do sleep 1 & wait; done'
main=$(cri_create "$pod")
answers "CRI: its container" 0 '' cri StartContainer "$main"
succeeds "CRI: its log" eventually 20 has_said main 'stdout F up$'
is "CRI: the hostname is the pod's" "$(sed -n 's/.* stdout F \(web.*\)/\1/p' "$work/logs/main.log")" web-0
succeeds "CRI: a mount, read-only" has_said main 'stderr F .*Read-only file system'
is "CRI: the host reaches the pod" "$(busybox timeout 60 busybox wget -q -O - "http://$address:8000/file")" from-host
answers "CRI: exec" 0 'stdout: "10.99.0.*exit_code: 5' cri_exec "$main" sh -c 'ip -o -4 addr show eth0 | grep -o 10.99.0.[0-9]*; exit 5'
if [ "${RUNTIME:-vmrun}" != runc ]; then
	load second true
	second=$(cri_create "$pod")
	answers "CRI: a second container" 1 'namespaces/[0-9]*: another container has a VM in this network namespace: vmrun runs one container of a pod' \
		cri StartContainer "$second"
	is "CRI: a second container: nothing is left of it" "$(cri RemoveContainer "$second" 2>&1; ls /run/containerd/runc/k8s.io | grep -c "$second")" 0
fi
answers "CRI: stop" 0 '' cri_stop "$main"
like "CRI: the exit code" "$(cri_status "$main" | tr -d '\n')" 'EXITED .*exit_code: 3'
answers "CRI: remove" 0 '' cri RemoveContainer "$main"
answers "CRI: stop the pod" 0 '' cri StopPodSandbox "$pod"
answers "CRI: remove the pod and what is in it" 0 '' cri RemovePodSandbox "$pod"
is "CRI: nothing is left" "$(ctr -n k8s.io task ls -q; ls -A /run/containerd/runc/k8s.io /run/netns; ls -d /sys/fs/cgroup/k8s.io/* 2>/dev/null)" "/run/containerd/runc/k8s.io:

/run/netns:"
say "CRI"

container=$(buildah from $image 2>&1) || echo "# $container"
answers "buildah run" 6 '^made$' buildah run --isolation oci --runtime "$runtime" --network none "$container" -- sh -c 'echo made | tee /made; exit 6'
is "buildah run: what it wrote is there" "$(cat "$(buildah mount "$container")/made")" made
mkdir "$work/empty"
printf '%s\n' "FROM $image" 'RUN echo built >/built' >"$work/Containerfile"
answers "podman build" 0 'COMMIT' podman --runtime "$runtime" build --isolation oci --network none -t localhost/built:1 -f "$work/Containerfile" "$work/empty"
is "podman build: what it wrote is there" "$(cat "$(podman image mount localhost/built:1)/built")" built
say "end"
