// SPDX-License-Identifier: BSD-2-Clause
#include <stdio.h>

#include "lib/bpffs.h"
#include "lib/preflight.h"
#include "lib/xdp_link.h"
#include "tests/unit/unit.h"

static void kernels(void **state)
{
	(void)state;
	assert_true(hf_preflight_kernel_is_old("5.10.0-28-amd64"));
	assert_true(hf_preflight_kernel_is_old("6.0.19"));
	assert_true(hf_preflight_kernel_is_old("4.19"));
	assert_false(hf_preflight_kernel_is_old("6.1.0-18-amd64"));
	assert_false(hf_preflight_kernel_is_old("6.18.44"));
	assert_false(hf_preflight_kernel_is_old("7.0-rc1"));
	assert_false(hf_preflight_kernel_is_old("next"));
}

static void instance_names(void **state)
{
	(void)state;
	assert_true(hf_bpffs_instance_is_good("default"));
	assert_true(hf_bpffs_instance_is_good("hf-lb1"));
	assert_false(hf_bpffs_instance_is_good(""));
	assert_false(hf_bpffs_instance_is_good("a/b"));
	assert_false(hf_bpffs_instance_is_good(".."));
	assert_false(hf_bpffs_instance_is_good("with.dot"));
	assert_false(hf_bpffs_instance_is_good("quo\"te"));
}

/* bpffs takes no dots, VLAN interfaces have them. */
static void link_pins(void **state)
{
	char pin[HF_XDP_LINK_SIZE], interface[16];

	(void)state;
	assert_string_equal(hf_xdp_link_pin("eth0.100", pin), "link-eth0:100");
	assert_true(hf_xdp_link_interface(pin, interface));
	assert_string_equal(interface, "eth0.100");
	assert_string_equal(hf_xdp_link_pin("averylongname15", pin), "link-averylongname15");
	assert_true(hf_xdp_link_interface(pin, interface));
	assert_string_equal(interface, "averylongname15");
	assert_false(hf_xdp_link_interface("program", interface));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernels),
		cmocka_unit_test(instance_names),
		cmocka_unit_test(link_pins),
	};

	return cmocka_run_group_tests_name("preflight", tests, NULL, NULL);
}
