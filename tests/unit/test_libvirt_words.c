/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <string.h>

#include "hostd/libvirt_words.h"

static void test_events(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		int event, detail;
		enum libvirt_news news;
		enum host_reason reason;
	} cases[] = {
		{ VIR_DOMAIN_EVENT_STARTED, VIR_DOMAIN_EVENT_STARTED_BOOTED,        NEWS_STARTED, HOST_REASON_NONE },
		{ VIR_DOMAIN_EVENT_STARTED, VIR_DOMAIN_EVENT_STARTED_MIGRATED,      NEWS_STARTED, HOST_REASON_MIGRATION },
		{ VIR_DOMAIN_EVENT_STARTED, VIR_DOMAIN_EVENT_STARTED_RESTORED,      NEWS_STARTED, HOST_REASON_RESTORE },
		{ VIR_DOMAIN_EVENT_STARTED, VIR_DOMAIN_EVENT_STARTED_FROM_SNAPSHOT, NEWS_STARTED, HOST_REASON_RESTORE },
		{ VIR_DOMAIN_EVENT_STARTED, VIR_DOMAIN_EVENT_STARTED_WAKEUP,        NEWS_STARTED, HOST_REASON_NONE },
		{ VIR_DOMAIN_EVENT_STARTED, 4711,                                   NEWS_STARTED, HOST_REASON_NONE },
		{ VIR_DOMAIN_EVENT_RESUMED, VIR_DOMAIN_EVENT_RESUMED_UNPAUSED,      NEWS_RUNNING, HOST_REASON_PAUSE },
		{ VIR_DOMAIN_EVENT_RESUMED, VIR_DOMAIN_EVENT_RESUMED_MIGRATED,      NEWS_RUNNING, HOST_REASON_MIGRATION },
		{ VIR_DOMAIN_EVENT_RESUMED, VIR_DOMAIN_EVENT_RESUMED_FROM_SNAPSHOT, NEWS_RUNNING, HOST_REASON_RESTORE },
		{ VIR_DOMAIN_EVENT_RESUMED, VIR_DOMAIN_EVENT_RESUMED_POSTCOPY,      NEWS_RUNNING, HOST_REASON_MIGRATION },
		{ VIR_DOMAIN_EVENT_RESUMED, 4711,                                   NEWS_RUNNING, HOST_REASON_PAUSE },
		{ VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_IOERROR,   NEWS_STOPPED, HOST_REASON_NONE },
		{ VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_PAUSED,    NEWS_STOPPED, HOST_REASON_NONE },
		{ VIR_DOMAIN_EVENT_CRASHED, VIR_DOMAIN_EVENT_CRASHED_PANICKED,      NEWS_STOPPED, HOST_REASON_NONE },
		{ VIR_DOMAIN_EVENT_PMSUSPENDED, VIR_DOMAIN_EVENT_PMSUSPENDED_MEMORY, NEWS_STOPPED, HOST_REASON_NONE },
		{ VIR_DOMAIN_EVENT_SHUTDOWN, VIR_DOMAIN_EVENT_SHUTDOWN_GUEST,       NEWS_STOPPED, HOST_REASON_NONE },
		{ VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_SAVED,         NEWS_ENDED,   HOST_REASON_NONE },
		{ VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_MIGRATED,      NEWS_LEFT,    HOST_REASON_NONE },
		{ VIR_DOMAIN_EVENT_DEFINED, VIR_DOMAIN_EVENT_DEFINED_UPDATED,       NEWS_DEFINED, HOST_REASON_NONE },
		{ VIR_DOMAIN_EVENT_DEFINED, VIR_DOMAIN_EVENT_DEFINED_RENAMED,       NEWS_UNDEFINED, HOST_REASON_NONE },
		{ VIR_DOMAIN_EVENT_UNDEFINED, VIR_DOMAIN_EVENT_UNDEFINED_REMOVED,   NEWS_UNDEFINED, HOST_REASON_NONE },
		{ 4711, 0,                                                          NEWS_NONE,    HOST_REASON_NONE },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(cases); i++) {
		enum host_reason reason;
		enum libvirt_news news = libvirt_news_of(cases[i].event, cases[i].detail, &reason);

		if (news != cases[i].news || reason != cases[i].reason)
			fail_msg("event %d, %d: %d, %d", cases[i].event, cases[i].detail, (int)news,
			         (int)reason);
	}
}

static void test_errors(void **state)
{
	(void)state;
#define AGENT_SAID "internal error: unable to execute QEMU agent command 'guest-set-time': "
	/* clang-format off */
	static const struct {
		int code, domain;
		const char *message;
		int64_t took_ms;
		enum work_result result;
		bool was_sent;
	} cases[] = {
		{ VIR_ERR_OPERATION_INVALID, VIR_FROM_QEMU, "domain is not running", 1, WORK_STOPPED, false },
		{ VIR_ERR_ARGUMENT_UNSUPPORTED, VIR_FROM_QEMU, "QEMU guest agent is not configured", 1, WORK_UNSUPPORTED, false },
		{ VIR_ERR_ACCESS_DENIED, VIR_FROM_ACCESS, "access denied", 1, WORK_UNSUPPORTED, false },
		{ VIR_ERR_OPERATION_TIMEOUT, VIR_FROM_QEMU, "cannot acquire state change lock", 30000, WORK_TIMED_OUT, false },
		{ VIR_ERR_NO_DOMAIN, VIR_FROM_QEMU, "no domain", 1, WORK_LOST, false },
		{ VIR_ERR_AGENT_UNRESPONSIVE, VIR_FROM_QEMU, "QEMU guest agent is not connected", 1, WORK_LOST, true },
		{ VIR_ERR_AGENT_UNRESPONSIVE, VIR_FROM_QEMU, "Guest agent not available for now", 2000, WORK_TIMED_OUT, true },
		{ VIR_ERR_AGENT_UNRESPONSIVE, VIR_FROM_QEMU, "Guest agent not available for now", 1999, WORK_TIMED_OUT, true },
		{ VIR_ERR_AGENT_UNRESPONSIVE, VIR_FROM_QEMU, "Guest agent not available for now", 1900, WORK_LOST, true },
		{ VIR_ERR_AGENT_UNSYNCED, VIR_FROM_QEMU, "Guest agent returned ID: 1 instead of 2", 1, WORK_GARBAGE, true },
		{ VIR_ERR_INTERNAL_ERROR, VIR_FROM_RPC, "client socket is closed", 1, WORK_LOST, true },
		{ VIR_ERR_SYSTEM_ERROR, VIR_FROM_RPC, "Cannot recv data", 1, WORK_LOST, true },
		{ VIR_ERR_INTERNAL_ERROR, VIR_FROM_QEMU, AGENT_SAID "hwclock failed to set hardware clock to system time", 900, WORK_REFUSED, true },
		{ VIR_ERR_INTERNAL_ERROR, VIR_FROM_QEMU, AGENT_SAID "failed to exec '/sbin/hwclock': No such file or directory", 9, WORK_REFUSED, true },
		{ VIR_ERR_INTERNAL_ERROR, VIR_FROM_QEMU, AGENT_SAID "this feature or command is not currently supported", 1, WORK_UNSUPPORTED, true },
		{ VIR_ERR_INTERNAL_ERROR, VIR_FROM_QEMU, AGENT_SAID "Command guest-set-time has been disabled: the agent is in frozen state", 1, WORK_FROZEN, true },
		{ VIR_ERR_INTERNAL_ERROR, VIR_FROM_QEMU, AGENT_SAID "The command guest-set-time has been disabled for this instance", 1, WORK_UNSUPPORTED, true },
		{ VIR_ERR_INTERNAL_ERROR, VIR_FROM_QEMU, AGENT_SAID "The command guest-set-time has not been found", 1, WORK_UNSUPPORTED, true },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(cases); i++) {
		bool was_sent;
		enum work_result result = libvirt_result_of(cases[i].code, cases[i].domain, cases[i].message,
		                                            VT_MS(cases[i].took_ms), VT_SEC(2), &was_sent);

		if (result != cases[i].result || was_sent != cases[i].was_sent)
			fail_msg("\"%s\": %d, sent %d", cases[i].message, (int)result, was_sent);
	}
	assert_true(libvirt_is_vmtimed("internal error: unable to execute QEMU agent command "
	                               "'guest-get-host-name': The command guest-get-host-name has "
	                               "not been found in vmtimed"));
	assert_false(libvirt_is_vmtimed("no hostname found for domain vmtimed"));
	assert_false(libvirt_is_vmtimed(AGENT_SAID "The command has not been found"));
}

static void test_descriptions(void **state)
{
	(void)state;
#define CHANNEL(state) "<channel type='unix'><source mode='bind'/>" \
		"<target type='virtio' name='org.qemu.guest_agent.0'" state "/></channel>"
	static const struct {
		const char *what, *xml;
		bool is_read, has_agent, is_agent_up;
		unsigned cid;
	} cases[] = {
		{ "all of it", "<domain id='1'><name>a</name><devices><disk/>" CHANNEL(" state='connected'")
		  "<vsock model='virtio'><cid auto='yes' address='7'/></vsock></devices></domain>",
		  true, true, true, 7 },
		{ "nobody listens", "<domain><devices>" CHANNEL(" state='disconnected'") "</devices></domain>",
		  true, true, false, 0 },
		{ "shut off", "<domain><devices>" CHANNEL("") "</devices></domain>", true, true, false, 0 },
		{ "another channel", "<domain><devices><channel type='unix'><target type='virtio' "
		  "name='com.example' state='connected'/></channel></devices></domain>", true, false, false, 0 },
		{ "what a user wrote into it counts nothing",
		  "<domain><metadata><devices xmlns='urn:x'>" CHANNEL("") "</devices><vsock><cid address='9'/>"
		  "</vsock></metadata><devices/></domain>", true, false, false, 0 },
		{ "no address yet", "<domain><devices><vsock><cid auto='yes'/></vsock></devices></domain>",
		  true, false, false, 0 },
		{ "the host's own", "<domain><devices><vsock><cid address='2'/></vsock></devices></domain>",
		  true, false, false, 0 },
		{ "any", "<domain><devices><vsock><cid address='4294967295'/></vsock></devices></domain>",
		  true, false, false, 0 },
		{ "no number", "<domain><devices><vsock><cid address='7x'/></vsock></devices></domain>",
		  true, false, false, 0 },
		{ "no domain", "<network/>", false, true, true, 99 },
		{ "half", "<domain><devices>", false, true, true, 99 },
		{ "nothing", "", false, true, true, 99 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct libvirt_domain domain = { .is_running = true, .has_agent = true, .is_agent_up = true,
		                                 .cid = 99 };
		bool is_read = libvirt_read_description(cases[i].xml, &domain);

		if (is_read != cases[i].is_read || domain.has_agent != cases[i].has_agent ||
		    domain.is_agent_up != cases[i].is_agent_up || domain.cid != cases[i].cid ||
		    !domain.is_running)
			fail_msg("%s: read %d, agent %d %d, cid %u", cases[i].what, is_read,
			         domain.has_agent, domain.is_agent_up, domain.cid);
	}
}

static void test_only_what_is_printable_is_told(void **state)
{
	(void)state;
	char text[6];

	libvirt_printable("a\nb\xc3", text, sizeof text);
	assert_string_equal(text, "a?b?");
	libvirt_printable("1234567", text, sizeof text);
	assert_string_equal(text, "12345");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_descriptions),
		cmocka_unit_test(test_only_what_is_printable_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
