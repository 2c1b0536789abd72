// SPDX-License-Identifier: BSD-2-Clause
/* All that tells how things are, in one file for who is asked for help: without keys, and without
 * addresses of clients, of which Holdfast keeps none. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lbctl/command.h"
#include "lib/log.h"

/* Shell commands, each to a file of its own. "@" stands for lbctl itself, with the instance. */
static const struct {
	const char *file, *command;
} parts[] = {
	{ "status.txt", "@ status" },
	{ "status.json", "@ status --json" },
	{ "nodes.json", "@ nodes --json" },
	{ "services.json", "@ services --json" },
	{ "backends.json", "@ backends --json" },
	{ "sync.json", "@ sync --json" },
	{ "bgp.json", "@ bgp --json" },
	{ "overrides.json", "@ overrides --json" },
	{ "counters.json", "@ counters --json" },
	{ "flows.txt", "@ flows" },
	{ "events.txt", "@ events --count 2000" },
	{ "doctor.txt", "@ doctor" },
	{ "uname.txt", "uname -a; cat /etc/os-release" },
	{ "links.txt", "ip -d -s link" },
	{ "addresses.txt", "ip address" },
	{ "routes.txt", "ip route show table all; ip -6 route show table all" },
	{ "neighbours.txt", "ip neighbour; ip -6 neighbour" },
	{ "nftables.txt", "nft list ruleset" },
	{ "bird.txt", "birdc show status; birdc show protocols all; birdc show bfd sessions" },
	{ "bpf.txt", "bpftool prog; bpftool map; bpftool net" },
	{ "journal.txt", "journalctl -u lbnode -u syncd -u lbbgp -u bird -n 3000 --no-pager" },
	{ "kernel.txt", "dmesg | tail -500" },
	{ "configuration.txt", "@ check" },
};

static bool run(const char *self, const struct hf_context *c, const char *folder, size_t i)
{
	char line[1024], command[600];

	if (parts[i].command[0] == '@')
		snprintf(command, sizeof(command), "'%s' -i %s%s", self, c->instance,
			 parts[i].command + 1);
	else
		snprintf(command, sizeof(command), "%s", parts[i].command);
	snprintf(line, sizeof(line), "timeout 20 sh -c \"%s\" >%s/%s 2>&1 </dev/null", command,
		 folder, parts[i].file);
	return system(line) >= 0;
}

static int pack(const char *folder, const char *name, const char *file)
{
	char line[4096];
	int status;

	snprintf(line, sizeof(line), "umask 077; tar --force-local -C %s -czf '%s' %s", folder,
		 file, name);
	status = system(line);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

int hf_command_support_bundle(const struct hf_context *c)
{
	char folder[] = "/tmp/lbctl-XXXXXX", name[64], inner[128], file[1024], self[512], line[600];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	time_t now = time(NULL);
	struct tm tm;
	int err = 0;

	localtime_r(&now, &tm);
	strftime(name, sizeof(name), "holdfast-%Y%m%d-%H%M%S", &tm);
	snprintf(file, sizeof(file), "%s", c->word_count ? c->words[0] : name);
	if (!c->word_count)
		snprintf(file, sizeof(file), "%s.tar.gz", name);
	self[length < 0 ? 0 : length] = '\0';
	if (strchr(file, '\'') || length < 0 || strpbrk(self, "'\"$`\\") || !mkdtemp(folder)) {
		hf_error("can't make a folder in /tmp, or the file's name is none");
		return HF_EXIT_FAILED;
	}
	snprintf(inner, sizeof(inner), "%s/%s", folder, name);
	if (mkdir(inner, 0700) < 0)
		err = -errno;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && !err; i++) {
		fprintf(stderr, "%s\n", parts[i].file);
		run(self, c, inner, i);
	}
	if (!err)
		err = pack(folder, name, file);
	snprintf(line, sizeof(line), "rm -rf %s", folder);
	if (system(line) < 0 || err) {
		hf_error("%s was not written; is tar there, and room on the disk?", file);
		return HF_EXIT_FAILED;
	}
	printf("%s\n", file);
	return HF_EXIT_FINE;
}
