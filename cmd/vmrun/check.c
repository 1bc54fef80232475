/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "cmd/vmrun/vmrun.h"
#include "devices/core/fdio.h"
#include "devices/core/fmt.h"
#include "runtime/config/host_config.h"
#include "runtime/host/hostfacts.h"

#define KVM_API 12

/* FAIL: no VM can run. warn: it can, and something it may want is missing. */
enum verdict { VERDICT_OK, VERDICT_WARN, VERDICT_FAIL };

/**
 * struct line - One line of output
 * @remedy:	What the user can do about it; NULL = nothing to do
 */
struct line {
	enum verdict verdict;
	const char *remedy;
	char detail[PATH_MAX + 64];
};

static const char *check_errno_remedy(int errnum, const char *absent, const char *denied)
{
	return errnum == EACCES || errnum == EPERM ? denied : absent;
}

static void check_kvm(const struct hostfacts *f, struct line *l)
{
	if (f->kvm_errno) {
		l->verdict = VERDICT_FAIL;
		fmt_into(l->detail, sizeof(l->detail), "/dev/kvm: %s", err_describe(f->kvm_errno));
		l->remedy = check_errno_remedy(
			f->kvm_errno,
			"load kvm_intel or kvm_amd; inside a VM, switch nested virtualization on",
			"be root, or a member of the group that owns it");
		return;
	}
	if (f->kvm_api != KVM_API) {
		l->verdict = VERDICT_FAIL;
		fmt_into(l->detail, sizeof(l->detail), "/dev/kvm: API version %d", f->kvm_api);
		l->remedy = "use a kernel whose KVM has API version 12";
		return;
	}
	fmt_into(l->detail, sizeof(l->detail), "/dev/kvm is usable");
}

static void check_virt(const struct hostfacts *f, struct line *l)
{
	static const struct line lines[] = {
		[HOSTFACTS_VIRT_HARDWARE] = {VERDICT_OK, NULL, "the CPU runs guests"},
		[HOSTFACTS_VIRT_SOFTWARE] =
			{VERDICT_WARN, "use a host whose CPU has vmx or svm, or tests/kvmhost/run",
			 "KVM only emulates supervisor code: Linux guests will not "
			 "boot here, tiny guests run"},
		[HOSTFACTS_VIRT_NONE] =
			{VERDICT_WARN,
			 "switch virtualization on in the firmware; inside a VM, nested "
			 "virtualization",
			 "the CPU shows neither vmx nor svm"},
	};

	*l = lines[f->virt];
}

static void check_user_namespaces(const struct hostfacts *f, struct line *l)
{
	if (f->max_user_namespaces > 0) {
		fmt_into(l->detail, sizeof(l->detail), "at most %ld", f->max_user_namespaces);
		return;
	}
	l->verdict = VERDICT_FAIL;
	fmt_into(l->detail, sizeof(l->detail), "%s",
		 f->max_user_namespaces ? "the kernel has none" : "switched off");
	l->remedy = f->max_user_namespaces ? "use a kernel with CONFIG_USER_NS"
					   : "sysctl user.max_user_namespaces=10000";
}

static void check_cgroup(const struct hostfacts *f, struct line *l)
{
	static const struct line lines[] = {
		[HOSTFACTS_CGROUP_NONE] = {VERDICT_WARN, "mount cgroup2 on /sys/fs/cgroup",
					   "none mounted: limits are not applied"},
		[HOSTFACTS_CGROUP_V1] = {VERDICT_OK, NULL, "version 1"},
		[HOSTFACTS_CGROUP_HYBRID] = {VERDICT_OK, NULL, "version 1, with 2 beside it"},
		[HOSTFACTS_CGROUP_V2] = {VERDICT_OK, NULL, "version 2"},
	};

	*l = lines[f->cgroup];
}

static void check_landlock(const struct hostfacts *f, struct line *l)
{
	if (f->landlock_abi) {
		fmt_into(l->detail, sizeof(l->detail), "ABI %d", f->landlock_abi);
		return;
	}
	l->verdict = VERDICT_WARN;
	fmt_into(l->detail, sizeof(l->detail), "none: jails have one wall less");
	l->remedy = "boot with lsm=landlock,... on a kernel that has it";
}

static void check_tun(const struct hostfacts *f, struct line *l)
{
	if (!f->tun_errno) {
		fmt_into(l->detail, sizeof(l->detail), "/dev/net/tun is usable");
		return;
	}
	l->verdict = VERDICT_WARN;
	fmt_into(l->detail, sizeof(l->detail),
		 "/dev/net/tun: %s: no network devices but those of "
		 "modes fd and none",
		 err_describe(f->tun_errno));
	l->remedy = check_errno_remedy(f->tun_errno, "modprobe tun", "be root");
}

static void check_vhost(const char *path, int errnum, const char *load, struct line *l)
{
	if (!errnum) {
		fmt_into(l->detail, sizeof(l->detail), "%s is usable", path);
		return;
	}
	l->verdict = VERDICT_WARN;
	fmt_into(l->detail, sizeof(l->detail), "%s: %s: backend user only", path,
		 err_describe(errnum));
	l->remedy = check_errno_remedy(errnum, load, "be root");
}

static void check_vhost_net(const struct hostfacts *f, struct line *l)
{
	check_vhost("/dev/vhost-net", f->vhost_net_errno, "modprobe vhost_net", l);
}

static void check_vhost_vsock(const struct hostfacts *f, struct line *l)
{
	check_vhost("/dev/vhost-vsock", f->vhost_vsock_errno, "modprobe vhost_vsock", l);
}

static void check_huge_pages(const struct hostfacts *f, struct line *l)
{
	const char *const how = f->huge == HOSTFACTS_HUGE_SHMEM ? "of a memfd"
				: f->huge == HOSTFACTS_HUGE_TMPFS && geteuid() == 0
					? "of a tmpfs of its own"
					: NULL;

	if (how) {
		fmt_into(l->detail, sizeof(l->detail), "guest RAM has them, %s", how);
		return;
	}
	l->verdict = VERDICT_WARN;
	fmt_into(l->detail, sizeof(l->detail), "guest RAM is in small pages: guests are slower");
	l->remedy = "echo advise > /sys/kernel/mm/transparent_hugepage/shmem_enabled";
}

static void check_container_file(const char *file, const char *given_at, struct line *l)
{
	if (access(file, R_OK) == 0)
		return;
	l->verdict = VERDICT_WARN;
	if (strcmp(given_at, HOST_CONFIG_MADE) == 0) {
		fmt_into(l->detail, sizeof(l->detail), "%s: %s", file, err_describe(errno));
		l->remedy = "make guest && make install";
		return;
	}
	fmt_into(l->detail, sizeof(l->detail), "%s: %s: %s", given_at, file, err_describe(errno));
}

/* The kernel and the initrd that the VM of a container boots */
static void check_containers(const struct vmrun *v, struct line *l)
{
	cleanup_host_config struct host_config c = {.file = NULL};
	struct err err;

	if (host_config_load(v->host_config, &c, &err) < 0) {
		l->verdict = VERDICT_WARN;
		fmt_into(l->detail, sizeof(l->detail), "%s", err.msg);
		return;
	}
	fmt_into(l->detail, sizeof(l->detail), "%s boots them", c.kernel);
	check_container_file(c.initrd, c.initrd_at, l);
	check_container_file(c.kernel, c.kernel_at, l);
}

/* A new fact is a line here, a function above, and a field in hostfacts.h. */
static const struct {
	const char *name;
	void (*check)(const struct hostfacts *f, struct line *l);
} facts[] = {
	{"kvm", check_kvm},
	{"virtualization", check_virt},
	{"user-namespaces", check_user_namespaces},
	{"cgroup", check_cgroup},
	{"landlock", check_landlock},
	{"tun", check_tun},
	{"vhost-net", check_vhost_net},
	{"vhost-vsock", check_vhost_vsock},
	{"huge-pages", check_huge_pages},
};

static int check_print(const char *name, const struct line *l, struct err *err)
{
	static const char *const verdicts[] = {
		[VERDICT_OK] = "ok  ", [VERDICT_WARN] = "warn", [VERDICT_FAIL] = "FAIL"};
	static const char blanks[] = "                ";
	const size_t width = strlen(name);
	char text[2 * PATH_MAX];
	const size_t n = fmt_into(text, sizeof(text), "%s  %s%s  %s%s%s%s\n", verdicts[l->verdict],
				  name, blanks + (width < sizeof(blanks) ? width : 0), l->detail,
				  l->remedy ? " (" : "", l->remedy ? l->remedy : "",
				  l->remedy ? ")" : "");
	const int rc = fd_write_full(STDOUT_FILENO, text, n);

	return rc < 0 ? err_set(err, -rc, "standard output") : 0;
}

static int check_run(struct vmrun *v, const struct verb_args *a UNUSED, struct err *err)
{
	struct line containers = {.verdict = VERDICT_OK};
	struct hostfacts f;
	int rc = 0;

	hostfacts_collect("/", &f);
	for (unsigned int i = 0; rc == 0 && i < ARRAY_SIZE(facts); i++) {
		struct line l = {.verdict = VERDICT_OK};

		facts[i].check(&f, &l);
		rc = check_print(facts[i].name, &l, err);
		if (l.verdict == VERDICT_FAIL)
			v->exit_code = 1;
	}
	if (rc < 0)
		return rc;
	check_containers(v, &containers);
	return check_print("containers", &containers, err);
}

const struct verb verb_check = {
	.name = "check",
	.summary = "Say what this host can do, one line per fact; exit 1 when no VM can run",
	.stateless = true,
	.run = check_run,
};
