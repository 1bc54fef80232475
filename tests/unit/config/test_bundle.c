/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/config/bundle_types.h"
#include "tests/support/bundle_rig.h"

#define HEAD "{\"ociVersion\":\"1.2.0\","
#define VM   "\"vm\":{\"kernel\":{\"path\":\"/k\"}"
#define ID_RANGE(inside, outside, nr)                                                              \
	"{\"containerID\":" #inside ",\"hostID\":" #outside ",\"size\":" #nr "}"
#define USER_NS "\"namespaces\":[{\"type\":\"user\"}]"

static void expect_warning(const struct bundle *b, const char *line)
{
	for (unsigned int i = 0; i < b->nr_warnings; i++)
		if (strcmp(b->warning[i], line) == 0)
			return;
	for (unsigned int i = 0; i < b->nr_warnings; i++)
		fprintf(stderr, "  %s\n", b->warning[i]);
	cr_expect(false, "no warning: %s", line);
}

Test(bundle, defaults)
{
	struct bundle *b = good(HEAD VM "}}");

	cr_expect_eq(b->vm.hw.vcpus, 1);
	cr_expect_eq(b->vm.hw.mem_bytes, 256ULL << 20);
	cr_expect_str_eq(b->vm.kernel.path, "/k");
	cr_expect_null(b->vm.kernel.initrd);
	cr_expect_null(b->vm.image.path);
	cr_expect_null(b->annotations);
	cr_expect_eq(b->vm.devices.nr, 0);
	cr_expect_not(b->process.terminal);
	cr_expect_not(b->root.readonly);
	cr_expect_eq(b->nr_warnings, 0);
	bundle_free(b);
}

Test(bundle, keeps_every_property)
{
	struct bundle *b = good(
		HEAD
		"\"root\":{\"path\":\"r\",\"readonly\":true},\"hostname\":\"h-1\","
		"\"annotations\":{\"a\":\"b\"},"
		"\"linux\":{\"cgroupsPath\":\"/"
		"x\",\"resources\":{\"memory\":{\"limit\":1073741824},"
		"\"cpu\":{\"quota\":5000,\"period\":10000,\"shares\":512,\"cpus\":\"0-1\",\"mems\":"
		"\"0\"}}},"
		"\"vm\":{\"hypervisor\":{\"path\":\"\"},"
		"\"kernel\":{\"path\":\"k\",\"initrd\":\"i\",\"parameters\":[\"a=1\",\"b c\"]},"
		"\"image\":{\"path\":\"d.img\",\"format\":\"raw\"},"
		"\"hwconfig\":{\"vcpus\":32,\"memory\":33554432},"
		"\"devices\":[{\"type\":\"rng\"},{\"type\":\"block\",\"path\":\"x\",\"readonly\":"
		"true,"
		"\"queues\":16,\"serial\":\"01234567890123456789\",\"format\":\"raw\"},"
		"{\"type\":\"balloon\",\"size\":4096,\"deflateOnOom\":false}]}}");
	const struct bundle_device *d = b->vm.devices.item;
	const char *const *p = b->vm.kernel.parameters.item;
	struct json_object *a = NULL;

	cr_expect(b->root.readonly);
	cr_expect_str_eq(b->hostname, "h-1");
	cr_expect_str_eq(b->vm.kernel.initrd, "i");
	cr_assert_eq(b->vm.kernel.parameters.nr, 2);
	cr_expect_str_eq(p[0], "a=1");
	cr_expect_str_eq(p[1], "b c");
	cr_expect_str_eq(b->vm.image.path, "d.img");
	cr_expect_eq(b->vm.hw.vcpus, 32);
	cr_expect_eq(b->vm.hw.mem_bytes, 32 << 20);
	cr_assert_eq(b->vm.devices.nr, 3);
	cr_expect_eq(d[0].type, KIND_RNG);
	cr_expect_eq(d[1].type, KIND_BLOCK);
	cr_expect_str_eq(d[1].pointer, "/vm/devices/1");
	cr_expect_str_eq(d[1].serial, "01234567890123456789");
	cr_expect(d[1].readonly);
	cr_expect_eq(d[1].queues, 16);
	cr_expect_eq(d[2].type, KIND_BALLOON);
	cr_expect_eq(d[2].balloon.size_bytes, 4096);
	cr_expect_not(d[2].balloon.deflate_on_oom);
	cr_expect_eq(b->linux_.resources.limit[LIMIT_MEMORY], 1 << 30);
	cr_expect_eq(b->linux_.resources.limit[LIMIT_CPU_QUOTA], 5000);
	cr_expect_eq(b->linux_.resources.limit[LIMIT_CPU_SHARES], 512);
	cr_expect_str_eq(b->linux_.resources.cpus, "0-1");
	cr_assert(json_object_object_get_ex(b->annotations, "a", &a));
	cr_expect_str_eq(json_object_get_string(a), "b");
	cr_expect_eq(b->nr_warnings, 0, "%s", b->warning[0]);
	bundle_free(b);
}

/* Each wrong text, and the beginning of what is said about it */
static const struct {
	const char *text, *msg;
} wrong[] = {
	{"[]", "config.json: must be an object"},
	{"{}", "/ociVersion: required"},
	{"{\"ociVersion\":\"2.0.0\"}", "/ociVersion: must be 1.x"},
	{"{\"ociVersion\":\"1.0\"}", "/ociVersion: must be a version such as 1.2.0, is \"1.0\""},
	{"{\"ociVersion\":\"1.0.2-\"}", "/ociVersion: must be a version"},
	{"{\"ociVersion\":\"1.0.2 x\"}", "/ociVersion: must be a version"},
	{"{\"ociVersion\":\"01.0.2\"}", "/ociVersion: must be a version"},
	{"{\"ociVersion\":\"\"}", "/ociVersion: must not be empty"},
	{"{\"ociVersion\":1}", "/ociVersion: must be a string, is a number"},
	{"{\"ociVersion\":null}", "/ociVersion: required"},
	{"{\"ociVersion\":\"1.2.0\"}", "/vm/kernel/path: required"},
	{HEAD "\"vm\":{}}", "/vm/kernel/path: required"},
	{HEAD "\"vm\":{\"kernel\":{}}}", "/vm/kernel/path: required"},
	{HEAD "\"vm\":{\"kernel\":{\"path\":\"\"}}}", "/vm/kernel/path: required"},
	{HEAD "\"vm\":[]}", "/vm: must be an object, is an array"},
	{HEAD "\"vm\":{\"kernel\":{\"path\":7}}}",
	 "/vm/kernel/path: must be a string, is a number"},
	{HEAD VM ",\"hwConfig\":{\"vcpus\":0}}}", "/vm/hwConfig/vcpus: must be 1 to 32, is 0"},
	{HEAD VM ",\"hwConfig\":{\"vcpus\":33}}}", "/vm/hwConfig/vcpus: must be 1 to 32, is 33"},
	{HEAD VM ",\"hwConfig\":{\"vcpus\":-1}}}", "/vm/hwConfig/vcpus: must be 1 to 32, is -1"},
	{HEAD VM ",\"hwConfig\":{\"vcpus\":1.5}}}",
	 "/vm/hwConfig/vcpus: must be a whole number, is a fraction"},
	{HEAD VM ",\"hwConfig\":{\"vcpus\":\"2\"}}}",
	 "/vm/hwConfig/vcpus: must be a whole number, is a string"},
	{HEAD VM ",\"hwconfig\":{\"vcpus\":0}}}", "/vm/hwconfig/vcpus: must be 1 to 32, is 0"},
	{HEAD VM ",\"hwconfig\":{\"vcpus\":1},\"hwConfig\":{\"vcpus\":2}}}",
	 "/vm/hwconfig: differs"},
	{HEAD VM ",\"hwConfig\":{\"memory\":33550336}}}",
	 "/vm/hwConfig/memory: must be 33554432 to 1099511627776, is 33550336"},
	{HEAD VM ",\"hwConfig\":{\"memory\":18446744073709551615}}}",
	 "/vm/hwConfig/memory: must be 33554432 to 1099511627776, is 18446744073709551615"},
	{HEAD VM ",\"hwConfig\":{\"memory\":33554433}}}",
	 "/vm/hwConfig/memory: must be a multiple of 4096, is 33554433"},
	{HEAD VM ",\"hwConfig\":{\"irqs\":[1]}}}", "/vm/hwConfig/irqs: is not possible"},
	{HEAD VM ",\"image\":{\"path\":\"x\",\"overlay\":true}}}",
	 "/vm/image/overlay: only a container's guest has one: leave out /vm/kernel/path"},
	{HEAD VM ",\"image\":{\"path\":\"x\",\"format\":\"vmdk\"}}}",
	 "/vm/image/format: must be raw or qcow2, is \"vmdk\""},
	{HEAD "\"vm\":{\"kernel\":{\"path\":\"k\",\"parameters\":[\"a\",2]}}}",
	 "/vm/kernel/parameters/1: must be a string, is a number"},
	{HEAD "\"vm\":{\"kernel\":{\"path\":\"k\",\"parameters\":[\"a\\nb\"]}}}",
	 "/vm/kernel/parameters/0: must be printable ASCII"},
	{HEAD VM ",\"image\":{\"path\":\"x\",\"format\":7}}}",
	 "/vm/image/format: must be a string, is a number"},
	{HEAD "\"annotations\":[]," VM "}}", "/annotations: must be an object, is an array"},
	{HEAD "\"linux\":{\"resources\":{\"pids\":{\"limit\":\"1\"}}}," VM "}}",
	 "/linux/resources/pids/limit: must be a whole number, is a string"},
	{HEAD
	 "\"process\":{\"cwd\":\"/\",\"args\":[\"a\"],\"scheduler\":{\"policy\":\"SCHED_DEADLINE\","
	 "\"runtime\":-1}}," VM "}}",
	 "/process/scheduler/runtime: must be 0 or more, is -1"},
	{HEAD VM ",\"devices\":[{}]}}", "/vm/devices/0/type: required"},
	{HEAD VM ",\"devices\":[null]}}", "/vm/devices/0: must be an object, is null"},
	{HEAD VM ",\"devices\":[{\"type\":\"rng\\n\"}]}}",
	 "/vm/devices/0/type: must be block, net"},
	{HEAD VM ",\"devices\":[{\"type\":\"block\"}]}}", "/vm/devices/0/path: required"},
	{HEAD VM ",\"devices\":[{\"type\":\"block\",\"path\":\"\"}]}}",
	 "/vm/devices/0/path: must not be empty"},
	{HEAD VM ",\"devices\":[{\"type\":\"block\",\"path\":\"x\",\"readOnly\":true}]}}",
	 "/vm/devices/0/readOnly: unknown property, known are type, path, readonly"},
	{HEAD VM ",\"devices\":[{\"type\":\"block\",\"path\":\"x\",\"readonly\":1}]}}",
	 "/vm/devices/0/readonly: must be true or false, is a number"},
	{HEAD VM ",\"devices\":[{\"type\":\"block\",\"path\":\"x\",\"queues\":17}]}}",
	 "/vm/devices/0/queues: must be 1 to 16, is 17"},
	{HEAD VM ",\"devices\":[{\"type\":\"block\",\"path\":\"x\",\"serial\":"
		 "\"012345678901234567890\"}]}}",
	 "/vm/devices/0/serial: must be at most 20 bytes long, is 21"},
	{HEAD VM ",\"devices\":[{\"type\":\"block\",\"path\":\"x\",\"serial\":\"\\u00e9\"}]}}",
	 "/vm/devices/0/serial: must be printable ASCII"},
	{HEAD VM ",\"devices\":[{\"type\":\"serial\"},{\"type\":\"serial\"}]}}",
	 "/vm/devices/1: a VM has one serial port only"},
	{HEAD VM ",\"devices\":[{\"type\":\"fs\",\"source\":\"d\"}]}}",
	 "/vm/devices/0/tag: required"},
	{HEAD VM ",\"devices\":[{\"type\":\"fs\",\"tag\":\"\",\"source\":\"d\"}]}}",
	 "/vm/devices/0/tag: must not be empty"},
	{HEAD VM ",\"devices\":[{\"type\":\"fs\",\"tag\":\"t\"}]}}",
	 "/vm/devices/0: one of source and sources is required, and not empty"},
	{HEAD VM ",\"devices\":[{\"type\":\"fs\",\"tag\":\"t\",\"source\":\"d\",\"sources\":[{"
		 "\"source\":\"e\",\"name\":\"n\"}]}]}}",
	 "/vm/devices/0: one of source and sources is required, and not empty"},
	{HEAD VM ",\"devices\":[{\"type\":\"fs\",\"tag\":\"0123456789012345678901234567890123456\","
		 "\"source\":\"d\"}]}}",
	 "/vm/devices/0/tag: must be at most 36 bytes long"},
	{HEAD VM ",\"devices\":[{\"type\":\"fs\",\"tag\":\"t\",\"sources\":[{\"source\":\"e\","
		 "\"name\":\"a/b\"}]}]}}",
	 "/vm/devices/0/sources/0/name: must be the name of a file, without slashes"},
	{HEAD VM ",\"devices\":[{\"type\":\"fs\",\"tag\":\"t\",\"sources\":[{\"source\":\"e\","
		 "\"name\":\"..\"}]}]}}",
	 "/vm/devices/0/sources/0/name: must be the name of a file, without slashes"},
	{HEAD VM ",\"devices\":[{\"type\":\"fs\",\"tag\":\"t\",\"sources\":[{\"source\":\"e\","
		 "\"name\":\"n\"},{\"source\":\"f\",\"name\":\"n\"}]}]}}",
	 "/vm/devices/0/sources/1/name: a second n"},
	{HEAD VM
	 ",\"devices\":[{\"type\":\"fs\",\"tag\":\"t\",\"source\":\"d\",\"cache\":\"some\"}]}}",
	 "/vm/devices/0/cache: must be auto, none or always"},
	{HEAD VM ",\"devices\":[{\"type\":\"fs\",\"tag\":\"t\",\"source\":\"d\",\"onFailure\":"
		 "\"restart\"}]}}",
	 "/vm/devices/0/onFailure: must be stop"},
	{HEAD VM ",\"devices\":[{\"type\":\"fs\",\"tag\":\"t\",\"source\":\"d\"},{\"type\":\"fs\","
		 "\"tag\":\"t\",\"source\":\"e\"}]}}",
	 "/vm/devices/1/tag: t is /vm/devices/0's already"},
	{HEAD VM ",\"devices\":[{\"type\":\"vhost-user\",\"device\":\"block\"}]}}",
	 "/vm/devices/0/socket: required"},
	{HEAD VM ",\"devices\":[{\"type\":\"vhost-user\",\"socket\":\"s\"}]}}",
	 "/vm/devices/0/device: required"},
	{HEAD VM
	 ",\"devices\":[{\"type\":\"vhost-user\",\"device\":\"serial\",\"socket\":\"s\"}]}}",
	 "/vm/devices/0/device: must be one of block, net, rng"},
	{HEAD VM ",\"devices\":[{\"type\":\"vhost-user\",\"device\":\"fs\",\"socket\":\"s\"}]}}",
	 "/vm/devices/0/tag: required"},
	{HEAD VM ",\"devices\":[{\"type\":\"vhost-user\",\"device\":\"fs\",\"socket\":\"s\","
		 "\"tag\":\"t\",\"onFailure\":\"restart\"}]}}",
	 "/vm/devices/0/onFailure: must be stop"},
	{HEAD VM ",\"devices\":[{\"type\":\"vhost-user\",\"device\":\"rng\",\"socket\":\"s\","
		 "\"tag\":\"t\"}]}}",
	 "/vm/devices/0/tag: is for a file system"},
	{HEAD VM ",\"devices\":[{\"type\":\"vhost-user\",\"device\":\"fs\",\"socket\":\"s\","
		 "\"tag\":\"0123456789012345678901234567890123456\"}]}}",
	 "/vm/devices/0/tag: must be at most 36 bytes long, is 37"},
	{HEAD VM
	 ",\"devices\":[{\"type\":\"vhost-user\",\"device\":\"fs\",\"socket\":\"s\",\"tag\":\"t\"},"
	 "{\"type\":\"vhost-user\",\"device\":\"fs\",\"socket\":\"r\",\"tag\":\"t\"}]}}",
	 "/vm/devices/1/tag: t is /vm/devices/0's already"},
	{HEAD VM ",\"devices\":[{\"type\":\"console\"},{\"type\":\"console\"}]}}",
	 "/vm/devices/1: a VM has one console only"},
	{HEAD VM ",\"devices\":[{\"type\":\"console\",\"logBytes\":4096}]}}",
	 "/vm/devices/0/logBytes: goes with a log"},
	{HEAD VM ",\"devices\":[{\"type\":\"console\",\"log\":\"l\",\"logBytes\":4095}]}}",
	 "/vm/devices/0/logBytes: must be 4096 to 1099511627776, is 4095"},
	{HEAD VM ",\"devices\":[{\"type\":\"console\",\"onFailure\":\"again\"}]}}",
	 "/vm/devices/0/onFailure: must be stop or restart, is \"again\""},
	{HEAD VM ",\"devices\":[{\"type\":\"console\",\"ports\":[{}]}]}}",
	 "/vm/devices/0/ports/0/name: required"},
	{HEAD VM ",\"devices\":[{\"type\":\"console\",\"ports\":[{\"name\":\"\"}]}]}}",
	 "/vm/devices/0/ports/0/name: must not be empty"},
	{HEAD VM ",\"devices\":[{\"type\":\"console\",\"ports\":[{\"name\":\".x\"}]}]}}",
	 "/vm/devices/0/ports/0/name: must be letters, digits"},
	{HEAD VM ",\"devices\":[{\"type\":\"console\",\"ports\":[{\"name\":"
		 "\"01234567890123456789012345678901\"}]}]}}",
	 "/vm/devices/0/ports/0/name: must be at most 31 bytes long, is 32"},
	{HEAD VM ",\"devices\":[{\"type\":\"console\",\"ports\":[{\"name\":\"a\"},"
		 "{\"name\":\"a\"}]}]}}",
	 "/vm/devices/0/ports/1/name: a second a"},
	{HEAD VM ",\"devices\":[{\"type\":\"console\",\"ports\":[{\"name\":\"a\"},"
		 "{\"name\":\"b\"},{\"name\":\"c\"},{\"name\":\"d\"},{\"name\":\"e\"},"
		 "{\"name\":\"f\"}]}]}}",
	 "/vm/devices/0/ports: must have at most 5 elements, has 6"},
	{HEAD VM ",\"devices\":[{\"type\":\"balloon\"},{\"type\":\"balloon\"}]}}",
	 "/vm/devices/1: a VM has one balloon only"},
	{HEAD VM ",\"devices\":[{\"type\":\"balloon\"},{\"type\":\"vhost-user\","
		 "\"device\":\"balloon\",\"socket\":\"s\"}]}}",
	 "/vm/devices/1: a VM has one balloon only"},
	{HEAD VM ",\"devices\":[{\"type\":\"vhost-user\",\"device\":\"balloon\",\"socket\":"
		 "\"r\"},{\"type\":\"vhost-user\",\"device\":\"balloon\",\"socket\":\"s\"}]}}",
	 "/vm/devices/1: a VM has one balloon only"},
	{HEAD VM ",\"hwConfig\":{\"memory\":33554432},\"devices\":[{\"type\":\"balloon\","
		 "\"size\":33558528}]}}",
	 "/vm/devices/0/size: must be at most the guest's 33554432 bytes of RAM, is 33558528"},
	{HEAD VM ",\"devices\":[{\"type\":\"balloon\",\"size\":4097}]}}",
	 "/vm/devices/0/size: must be a multiple of 4096, is 4097"},
	{HEAD VM ",\"devices\":[{\"type\":\"vsock\",\"cid\":3,\"backend\":\"kernel\"}]}}",
	 "/vm/devices/0/backend: must be user or vhost, is \"kernel\""},
	{HEAD VM ",\"devices\":[{\"type\":\"vsock\",\"cid\":3,\"listen\":[5]}]}}",
	 "/vm/devices/0/listen: means nothing with backend user, only with vhost"},
	{HEAD VM ",\"devices\":[{\"type\":\"vsock\",\"cid\":3,\"backend\":\"vhost\","
		 "\"listen\":[5,0]}]}}",
	 "/vm/devices/0/listen/1: must be 1 to 4294967294, is 0"},
	{HEAD VM ",\"devices\":[{\"type\":\"vsock\",\"cid\":3,\"backend\":\"vhost\","
		 "\"listen\":[4294967295]}]}}",
	 "/vm/devices/0/listen/0: must be 1 to 4294967294, is 4294967295"},
	{HEAD VM ",\"devices\":[{\"type\":\"vsock\",\"cid\":3,\"backend\":\"vhost\","
		 "\"listen\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]}]}}",
	 "/vm/devices/0/listen: must have at most 16 elements, has 17"},
	{HEAD "\"root\":{}," VM "}}", "/root/path: required"},
	{HEAD "\"hostname\":\"a b\"," VM "}}", "/hostname: must be letters"},
	{HEAD "\"annotations\":{\"a\":1}," VM "}}",
	 "/annotations/a: must be a string, is a number"},
	{HEAD "\"annotations\":{\"a/b~c\":1}," VM "}}", "/annotations/a~1b~0c: must be a string"},
	{HEAD "\"annotations\":{\"\":\"x\"}," VM "}}", "/annotations/: a key must not be empty"},
	{HEAD "\"process\":{}," VM "}}", "/process/cwd: required"},
	{HEAD "\"process\":{\"cwd\":\"x\"}," VM "}}", "/process/cwd: must be an absolute path"},
	{HEAD "\"process\":{\"cwd\":\"/\",\"args\":[]}," VM "}}",
	 "/process/args: must have at least 1 elements, has 0"},
	{HEAD "\"process\":{\"cwd\":\"/"
	      "\",\"rlimits\":[{\"type\":\"RLIMIT_X\",\"soft\":1,\"hard\":1}]}," VM "}}",
	 "/process/rlimits/0/type: must be RLIMIT_CPU, "},
	{HEAD
	 "\"process\":{\"cwd\":\"/\",\"rlimits\":[{\"type\":\"RLIMIT_AS\",\"soft\":1,\"hard\":1},"
	 "{\"type\":\"RLIMIT_AS\",\"soft\":1,\"hard\":1}]}," VM "}}",
	 "/process/rlimits/1: a second RLIMIT_AS"},
	{HEAD "\"process\":{\"cwd\":\"/\",\"oomScoreAdj\":-1001}," VM "}}",
	 "/process/oomScoreAdj: must be -1000 to 1000, is -1001"},
	{HEAD "\"process\":{\"cwd\":\"/\",\"user\":{\"uid\":4294967296}}," VM "}}",
	 "/process/user/uid: must be 0 to 2147483647, is 4294967296"},
	{HEAD "\"hooks\":{\"prestart\":[{\"path\":\"x\"}]}," VM "}}",
	 "/hooks/prestart/0/path: must be an absolute path"},
	{HEAD "\"hooks\":{\"poststop\":[{\"path\":\"/x\",\"timeout\":0}]}," VM "}}",
	 "/hooks/poststop/0/timeout: must be 1 to 2147483647, is 0"},
	{HEAD "\"mounts\":[{}]," VM "}}", "/mounts/0/destination: required"},
	{HEAD "\"linux\":{\"namespaces\":[{\"type\":\"pod\"}]}," VM "}}",
	 "/linux/namespaces/0/type: must be pid, network, mount, ipc, uts, user, cgroup or time, "
	 "is"},
	{HEAD "\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"pid\"}]}," VM "}}",
	 "/linux/namespaces/1: a second pid namespace"},
	{HEAD "\"linux\":{\"namespaces\":[{\"type\":\"mount\",\"path\":\"/x\"}]}," VM "}}",
	 "/linux/namespaces/0/path: a virtual machine cannot join a mount namespace"},
	{HEAD "\"linux\":{\"uidMappings\":[{\"containerID\":0,\"hostID\":0}]}," VM "}}",
	 "/linux/uidMappings/0/size: required"},
	{HEAD "\"linux\":{\"uidMappings\":[" ID_RANGE(0, 1000, 1) "]}," VM "}}",
	 "/linux/uidMappings: needs a user namespace in namespaces"},
	{HEAD "\"linux\":{" USER_NS ",\"gidMappings\":[" ID_RANGE(0, 1000, 1) "]}," VM "}}",
	 "/linux/uidMappings: required with gidMappings"},
	{HEAD "\"linux\":{" USER_NS ",\"uidMappings\":[" ID_RANGE(0, 5, 1) "," ID_RANGE(
		 0, 9, 1) "],\"gidMappings\":[" ID_RANGE(0, 5, 1) "]}," VM "}}",
	 "/linux/uidMappings/1: has ids of the guest that /linux/uidMappings/0 has"},
	{HEAD VM ",\"devices\":[{\"type\":\"fs\",\"tag\":\"t\",\"source\":\"d\","
		 "\"uidMappings\":[" ID_RANGE(0, 5, 1) "]}]}}",
	 "/vm/devices/0/gidMappings: required with uidMappings"},
	{HEAD VM ",\"devices\":[{\"type\":\"fs\",\"tag\":\"t\",\"source\":\"d\","
		 "\"uidMappings\":[" ID_RANGE(0, 5, 1) "],\"gidMappings\":[" ID_RANGE(0, 1879048190,
										      9) "]}]}}",
	 "/vm/devices/0/gidMappings/0: 9 ids from 1879048190 on: vmrun needs those from"},
	{HEAD VM ",\"devices\":[{\"type\":\"fs\",\"tag\":\"t\",\"source\":\"d\","
		 "\"uidMappings\":[" ID_RANGE(0, 5, 0) "]}]}}",
	 "/vm/devices/0/uidMappings/0/size: must be 1 to 4294967295, is 0"},
	{HEAD "\"linux\":{\"cgroupsPath\":\"/a/../b\"}," VM "}}",
	 "/linux/cgroupsPath: must not hold"},
	{HEAD "\"linux\":{\"resources\":{\"cpu\":{\"period\":10}}}," VM "}}",
	 "/linux/resources/cpu/period: must be 1000 to 1000000, or 0"},
	{HEAD "\"linux\":{\"resources\":{\"cpu\":{\"quota\":10}}}," VM "}}",
	 "/linux/resources/cpu/quota: must be 1000 or more"},
	{HEAD "\"linux\":{\"resources\":{\"cpu\":{\"cpus\":\"all\"}}}," VM "}}",
	 "/linux/resources/cpu/cpus: must be a list such as 0-3,7"},
	{HEAD "\"linux\":{\"resources\":{\"cpu\":{\"cpus\":\" ,\"}}}," VM "}}",
	 "/linux/resources/cpu/cpus: must be a list such as 0-3,7"},
	{HEAD "\"linux\":{\"resources\":{\"cpu\":{\"mems\":\"\\n\"}}}," VM "}}",
	 "/linux/resources/cpu/mems: must be a list such as 0-3,7"},
	{HEAD "\"linux\":{\"resources\":{\"blockIO\":{\"weight\":10}}}," VM "}}",
	 "/linux/resources/blockIO: vmrun cannot set this limit"},
	{HEAD
	 "\"linux\":{\"resources\":{\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":1}]}}," VM
	 "}}",
	 "/linux/resources/hugepageLimits: vmrun cannot set this limit"},
	{HEAD "\"linux\":{\"resources\":{\"network\":{\"classID\":1}}}," VM "}}",
	 "/linux/resources/network: vmrun cannot set this limit"},
	{HEAD "\"linux\":{\"resources\":{\"rdma\":{\"mlx5_1\":{\"hcaHandles\":3}}}}," VM "}}",
	 "/linux/resources/rdma: vmrun cannot set this limit"},
	{HEAD "\"linux\":{\"resources\":{\"unified\":{\"memory.high\":1}}}," VM "}}",
	 "/linux/resources/unified/memory.high: must be a string"},
	{HEAD "\"linux\":{\"resources\":{\"memory\":{\"limit\":-2}}}," VM "}}",
	 "/linux/resources/memory/limit: must be -1 to 9223372036854775807, is -2"},
	{HEAD "\"linux\":{\"resources\":{\"memory\":{\"limit\":9223372036854775808}}}," VM "}}",
	 "/linux/resources/memory/limit: must be -1 to 9223372036854775807, is "
	 "9223372036854775808"},
};

Test(bundle, names_the_place_of_an_error)
{
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct bundle *b = NULL;
		struct err err;

		cr_expect_eq(load(wrong[i].text, &b, &err), -EINVAL, "%s", wrong[i].text);
		cr_expect_null(b);
		cr_expect(strncmp(err.msg, wrong[i].msg, strlen(wrong[i].msg)) == 0,
			  "%s\n  wanted %s\n  got    %s", wrong[i].text, wrong[i].msg, err.msg);
		bundle_free(b);
	}
}

Test(bundle, names_the_types_that_there_are)
{
	static const char text[] = HEAD VM ",\"devices\":[{\"type\":\"gpu\"}]}}";
	char want[256] = "/vm/devices/0/type: must be ";
	struct bundle *b = NULL;
	struct err err;

	for (unsigned int i = 0; kind_types[i]; i++) {
		strcat(want, i == 0 ? "" : kind_types[i + 1] ? ", " : " or ");
		strcat(want, kind_types[i]);
	}
	strcat(want, ", is \"gpu\"");
	cr_expect_eq(load(text, &b, &err), -EINVAL);
	cr_expect_str_eq(err.msg, want);
}

Test(bundle, ignores_unknown_properties)
{
	static const char *const fine[] = {
		HEAD "\"x\":1," VM ",\"y\":[{}]}}",
		"{\"ociVersion\":\"1.0.2-dev\"," VM "}}",
		"{\"ociVersion\":\"1.3.0+dev\"," VM "}}",
		/* what Go's bindings write for what was not set */
		HEAD VM
		",\"hypervisor\":{\"path\":\"\"},\"image\":{\"path\":\"\",\"format\":\"\"}}}",
		HEAD "\"mounts\":null,\"hooks\":{},\"linux\":{\"resources\":null}," VM "}}",
		HEAD VM ",\"hwConfig\":{\"vcpus\":2},\"hwconfig\":{\"vcpus\":2}}}",
		HEAD "\"linux\":{\"resources\":{\"memory\":{\"limit\":-1}}}," VM "}}",
		HEAD "\"linux\":{\"resources\":{\"pids\":{}}}," VM "}}",
		HEAD
		"\"linux\":{\"resources\":{\"cpu\":{\"cpus\":\"0, 1\",\"mems\":\"0-6:2/3\"}}}," VM
		"}}",
		HEAD "\"linux\":{\"resources\":{\"blockIO\":{\"weight\":0,\"weightDevice\":[]},"
		     "\"network\":{},\"rdma\":null,\"hugepageLimits\":[]}}," VM "}}",
		HEAD "\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"network\",\"path\":"
		     "\"\"}]}," VM "}}",
		/* each id is itself: a map that is none */
		HEAD "\"linux\":{" USER_NS ",\"uidMappings\":[" ID_RANGE(
			0, 0, 4294967295) "],\"gidMappings\":[" ID_RANGE(0, 0, 4294967295) "]}," VM
											   "}}",
	};

	for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
		struct bundle *b = good(fine[i]);

		cr_expect_eq(b->nr_warnings, 0, "%s: %s", fine[i], b->warning[0]);
		bundle_free(b);
	}
}

Test(bundle, warns_of_what_is_not_carried_out)
{
	struct bundle *b = good(
		HEAD
		"\"domainname\":\"d\",\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\"}],"
		"\"hooks\":{\"prestart\":[{\"path\":\"/x\"}],\"startContainer\":[{\"path\":\"/"
		"y\"}]},"
		"\"root\":{\"path\":\"rootfs\"},"
		"\"process\":{\"terminal\":true,\"cwd\":\"/"
		"\",\"args\":[\"sh\"],\"noNewPrivileges\":false,"
		"\"user\":{\"uid\":0,\"gid\":0}},"
		"\"linux\":{\"sysctl\":{\"a\":\"b\"},\"namespaces\":[{\"type\":\"uts\","
		"\"path\":\"/n\"},"
		"{\"type\":\"pid\"}],\"resources\":{\"memory\":{\"limit\":1000,\"swap\":5},"
		"\"pids\":{\"limit\":7},\"devices\":[{}]}},"
		"\"vm\":{\"kernel\":{\"path\":\"/k\"},\"hypervisor\":{\"path\":\"/h\"},"
		"\"hwConfig\":{\"deviceTree\":\"/dt\"}}}");

	expect_warning(b, "config.json: not carried out: domainname, mounts");
	expect_warning(b, "/hooks: not run: startContainer");
	expect_warning(b, "/process: not carried out in the guest: args, cwd, user");
	expect_warning(b, "config.json: /vm/kernel: with a kernel of the bundle's own, the guest "
			  "runs what is in its initrd and disks; without one, /process in "
			  "/root/path");
	expect_warning(b, "/linux: not carried out: sysctl");
	expect_warning(
		b, "/linux/namespaces/0/path: only the VM of a container joins a uts namespace");
	expect_warning(b, "/vm: not carried out yet: hypervisor");
	expect_warning(b, "/vm/hwConfig: not carried out yet: deviceTree");
	cr_expect_eq(b->nr_warnings, 9);
	cr_expect(b->process.terminal);
	cr_expect_eq(b->linux_.resources.limit[LIMIT_PIDS], 7);
	cr_expect_eq(b->linux_.resources.limit[LIMIT_MEMORY_SWAP], 5);
	cr_expect_eq(b->linux_.resources.limit[LIMIT_CPU_BURST], BUNDLE_UNSET);
	bundle_free(b);
}

Test(bundle, counts_implied_devices)
{
	char text[4096];
	struct bundle *b = NULL;
	struct err err;

	/* with the serial port and the entropy source that are not listed, 22 disks are the most */
	for (int nr = 22; nr <= 25; nr++) {
		size_t n = (size_t)sprintf(text, HEAD VM ",\"devices\":[");

		for (int i = 0; i < nr; i++)
			n += (size_t)sprintf(text + n, "%s{\"type\":\"block\",\"path\":\"d\"}",
					     i ? "," : "");
		strcpy(text + n, "]}}");
		cr_expect_eq(load(text, &b, &err), nr == 22 ? 0 : -EINVAL, "%d: %s", nr, err.msg);
		if (nr > 22)
			cr_expect(strncmp(err.msg, "/vm/devices: must ", 18) == 0, "%s", err.msg);
		bundle_free(b);
		b = NULL;
	}
}

/* The kernel, asked to write there, says whether it could, and no process has to die of it. */
static void expect_frozen(const void *p)
{
	int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);

	cr_assert(zero >= 0);
	errno = 0;
	cr_expect_eq(read(zero, (void *)(uintptr_t)p, 1), -1);
	cr_expect_eq(errno, EFAULT);
	close(zero);
}

Test(bundle, is_frozen)
{
	struct bundle *b = good(HEAD VM ",\"devices\":[{\"type\":\"rng\"}]}}");

	expect_frozen(&b->vm.hw.vcpus);
	expect_frozen(b->vm.kernel.path);
	expect_frozen(b->vm.devices.item);
	expect_frozen(bundle_text(b));
	bundle_free(b);
}

Test(bundle, refuses_a_directory_that_is_no_absolute_path)
{
	static const char text[] = HEAD VM "}}";
	struct json_object *root = NULL;
	struct bundle *b = NULL;
	struct err err;
	char longest[PATH_MAX + 1];

	memset(longest, '/', PATH_MAX);
	longest[PATH_MAX] = '\0';
	cr_assert_eq(json_parse(text, strlen(text), "f", &root, &err), 0);
	cr_expect_eq(bundle_from_json(root, "b", &b, &err), -EINVAL);
	cr_expect_eq(bundle_from_json(root, longest, &b, &err), -EINVAL);
	cr_assert_eq(bundle_from_json(root, longest + 1, &b, &err), 0, "%s", err.msg);
	bundle_free(b);
	json_object_put(root);
}

Test(bundle, refuses_strings_with_a_nul_made_in_memory)
{
	struct json_object *root = json_tokener_parse(HEAD VM "}}"), *kernel, *vm;
	struct bundle *b = NULL;
	struct err err;

	cr_assert(json_object_object_get_ex(root, "vm", &vm));
	cr_assert(json_object_object_get_ex(vm, "kernel", &kernel));
	json_object_object_add(kernel, "path", json_object_new_string_len("/k\0x", 4));
	cr_expect_eq(bundle_from_json(root, "/b", &b, &err), -EINVAL);
	cr_expect_str_eq(err.msg, "/vm/kernel/path: holds a NUL");
	json_object_put(root);
}

Test(bundle, load_reads_a_directory)
{
	char dir[] = "/tmp/vmrun-test-bundle-XXXXXX", path[64];
	struct bundle *b = NULL;
	struct err err = {0};
	FILE *f;

	cr_assert(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/config.json", dir);
	cr_expect_eq(bundle_load(dir, NULL, &b, &err), -ENOENT);
	cr_expect(strstr(err.msg, path), "%s", err.msg);
	f = fopen(path, "w");
	cr_assert(f);
	fputs(HEAD VM "}}\n", f);
	fclose(f);
	cr_assert_eq(bundle_load(dir, NULL, &b, &err), 0, "%s", err.msg);
	cr_expect_str_eq(b->dir, dir);
	cr_expect_str_eq(bundle_text(b), HEAD VM "}}\n");
	bundle_free(b);
	b = NULL;
	/* another file of the same bundle */
	cr_expect_eq(bundle_load(dir, "/nonexistent", &b, &err), -ENOENT);
	f = fopen(path, "w");
	fputs("{\n  \"ociVersion\" 1\n}\n", f);
	fclose(f);
	cr_expect_eq(bundle_load(dir, NULL, &b, &err), -EINVAL);
	cr_expect(strstr(err.msg, "config.json: line 2, column 16: not JSON"), "%s", err.msg);
	unlink(path);
	/* a FIFO by that name must not make the caller wait */
	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_expect_eq(bundle_load(dir, NULL, &b, &err), -EINVAL);
	unlink(path);
	rmdir(dir);
	cr_expect_eq(bundle_load(dir, NULL, &b, &err), -ENOENT);
	cr_expect_null(b);
}
