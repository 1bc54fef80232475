/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/supervisor/namespaces.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "runtime/net/net.h"
#include "runtime/util/ns_file.h"
#include "runtime/util/nsfail.h"

static int namespaces_join(struct supervisor *s, const struct plan_namespace *ns, struct err *err)
{
	cleanup_fd int fd = -1;
	int rc = ns_file_open(ns->path, ns->flag, &fd, err);

	if (rc == 0 && ns->flag == CLONE_NEWNET)
		rc = netns_enter(fd, &s->host_net, err);
	else if (rc == 0 && setns(fd, ns->flag) < 0)
		rc = err_set(err, errno, "enter the %s namespace %s", ns_file_word(ns->flag),
			     ns->path);
	return rc < 0 ? err_wrap(err, "%s/path", ns->pointer) : 0;
}

static int namespaces_make(struct supervisor *s, const struct plan_namespace *ns, struct err *err)
{
	const char *name = s->launch->plan->hostname;
	int rc = 0;

	if (ns->flag == CLONE_NEWNET)
		rc = netns_enter(-1, &s->host_net, err);
	else if (unshare(ns->flag) < 0)
		rc = nsfail_explain(ns->flag, errno, "", err);
	if (rc < 0)
		return rc == -EPERM ? 0 : err_wrap(err, "%s", ns->pointer);
	if (ns->flag == CLONE_NEWUTS && sethostname(name, strlen(name)) < 0)
		return err_set(err, errno, "/hostname: %s", name);
	return 0;
}

int namespaces_enter(struct supervisor *s, struct err *err)
{
	const struct plan *p = s->launch->plan;
	int rc = 0;

	for (unsigned int i = 0; rc == 0 && i < p->nr_namespaces; i++)
		rc = (p->namespace[i].path ? namespaces_join : namespaces_make)(s, &p->namespace[i],
										err);
	for (unsigned int i = 0; rc == 0 && i < s->state->nr_nets; i++)
		rc = net_own(&s->state->net[i], err);
	return rc;
}

void namespaces_describe(const struct supervisor *s, struct spec_items *to)
{
	struct utsname here;

	if (s->launch->plan->joins_name && uname(&here) == 0)
		spec_items_string(to, AGENT_HOSTNAME, here.nodename);
}
