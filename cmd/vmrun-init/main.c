/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: vmrun-init, process 1 of a guest that runs a container
 *
 * Its steps: mount what the kernel offers, load the modules, leave the initrd, listen, connect to the host, serve it, power off.
 * Whatever fails, the guest powers off; the kernel's log has the reason.
 */
#include "cmd/vmrun-init/agent.h"
#include "cmd/vmrun-init/guest.h"
#include "cmd/vmrun-init/host.h"
#include "cmd/vmrun-init/modules.h"
#include "cmd/vmrun-init/stamp.h"

static int main_boot(uint32_t *stamp, struct err *err)
{
	int rc;

	stamp[AGENT_BOOT_KERNEL] = stamp_us();
	rc = guest_mount(err);
	if (rc == 0)
		rc = modules_load(err);
	stamp[AGENT_BOOT_MODULES] = stamp_us();
	if (rc == 0)
		rc = guest_settle(err);
	stamp[AGENT_BOOT_SHARE] = stamp_us();
	if (rc == 0)
		guest_limits();
	return rc;
}

static int main_serve(const uint32_t *stamp, struct err *err)
{
	static struct agent agent;
	struct agent_config config = {.share = GUEST_SHARE,
				      .accept = host_accept,
				      .began = modules_load_later,
				      .stamp = stamp};
	int listener = host_listen(err), control, rc;

	config.cgroup = listener < 0 ? -1 : guest_cgroup(err);
	if (config.cgroup < 0)
		return -err->code;
	control = host_connect(err);
	if (control < 0)
		return control;
	rc = agent_run(&agent, &config, control, listener);
	if (rc < 0)
		return err_set(err, -rc, "serving the host");
	host_settle(control);
	return 0;
}

int main(void)
{
	uint32_t stamp[AGENT_STREAMS] = {0};
	struct err err = {0};
	int rc;

	/* Elsewhere it would take the machine for its guest. */
	if (getpid() != 1)
		return EXIT_FAILURE;
	rc = main_boot(stamp, &err);
	if (rc == 0)
		rc = main_serve(stamp, &err);
	if (rc < 0)
		guest_say(err.msg);
	guest_power_off();
}
