// SPDX-License-Identifier: BSD-2-Clause
#include "tests/wrapper.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void die(const char *what)
{
	fprintf(stderr, "wrapper: %s: %s\n", what, strerror(errno));
	exit(1);
}

void wrapper_first_flow(struct frame *f)
{
	memcpy(f->bytes + f->l3 + 12, "\xc0\x00\x00\x00", 4);
	memcpy(f->bytes + f->l3 + 4, "\xff\xff", 2);
	frame_finish_ip(f);
}

struct wrap_bpf *wrapper_open(const struct frame *f, const struct wrapper_settings *settings)
{
	struct wrap_bpf *wrap = wrap_bpf__open();
	__u32 zero = 0;

	if (!wrap)
		die("open the wrapper");
	wrap->rodata->outer_length = settings->outer_length;
	wrap->rodata->flows = settings->flows;
	wrap->rodata->source_offset = f->l3 + 12;
	wrap->rodata->id_offset = f->l3 + 4;
	wrap->rodata->port_offset = f->l4;
	memcpy((void *)wrap->rodata->ethernet, f->bytes, sizeof(wrap->rodata->ethernet));
	if (wrap_bpf__load(wrap) ||
	    bpf_map__update_elem(wrap->maps.target, &zero, sizeof(zero), &settings->program,
				 sizeof(settings->program), 0))
		die("load the wrapper");
	return wrap;
}

double wrapper_run(struct wrap_bpf *wrap, const struct frame *f, uint32_t runs, uint32_t verdict)
{
	uint8_t out[sizeof(f->bytes) + 256];
	LIBBPF_OPTS(bpf_test_run_opts, test, .data_in = f->bytes, .data_size_in = f->length,
		    .data_out = out, .data_size_out = sizeof(out), .repeat = runs);

	if (bpf_prog_test_run_opts(bpf_program__fd(wrap->progs.wrap), &test))
		die("run the wrapper");
	if (test.retval != verdict) {
		fprintf(stderr, "wrapper: verdict %u, expected %u\n", test.retval, verdict);
		exit(1);
	}
	return test.duration;
}
