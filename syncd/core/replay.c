// SPDX-License-Identifier: BSD-2-Clause
#include "syncd/core/replay.h"

#define WORDS (HF_REPLAY_BITS / 64)

/* Clears the words that the window moves over; the one word more than the window has room for is
 * what makes that enough. */
static void advance(struct hf_replay *replay, uint64_t counter)
{
	uint64_t from = replay->highest / 64, to = counter / 64;

	if (to - from > WORDS)
		from = to - WORDS;
	while (from < to)
		replay->seen[++from % WORDS] = 0;
	replay->highest = counter;
}

bool hf_replay_accept(struct hf_replay *replay, uint64_t counter)
{
	uint64_t *word = &replay->seen[counter / 64 % WORDS], bit = 1ULL << (counter % 64);

	if (!counter ||
	    (replay->highest > counter && replay->highest - counter >= HF_REPLAY_WINDOW))
		return false;
	if (counter > replay->highest)
		advance(replay, counter);
	if (*word & bit)
		return false;
	*word |= bit;
	return true;
}
