#!/bin/sh
# The close of a month, unattended: the snapshot, then the report. A failure of either is the exit code.
#
#   close-month.sh [PERIOD]     2026-11, 2026-Q4, 2026; without one: the last month that is over in Amsterdam
#
# Safe to run again: a month that is closed is not read anew, its report is written once more from the same files.
# The first month needs an opening: run this once at the end of the month before, and let its report be refused.
# The month is that of Amsterdam wherever the server stands: five past midnight there is the evening before in UTC.
#
# crontab:  5 0 1 * *  piggy  /usr/local/bin/close-month.sh
# systemd:  close-month.service  [Service] Type=oneshot  User=piggy  UMask=0077  ExecStart=/usr/local/bin/close-month.sh
#           close-month.timer    [Timer] OnCalendar=*-*-01 00:05:00 Europe/Amsterdam  Persistent=true
set -eu
umask 077
store="${GIFTCARDS_STORE:-/srv/giftcards}"
reports="${GIFTCARDS_REPORTS:-/srv/reports}"
period="${1:-last-month}"
[ -n "${PIGGY_TOKEN:-}" ] || export PIGGY_TOKEN_FILE="${PIGGY_TOKEN_FILE:-/etc/piggy-batch/token}"

piggy-batch giftcards snapshot --store "$store" --period "$period" --quiet
piggy-batch giftcards report --store "$store" --period "$period" --expect-closed --quiet \
  --to "$reports/giftcards-{period}.html" --to "$reports/giftcards-{period}.xlsx"
