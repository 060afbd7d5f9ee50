#!/usr/bin/env bash
# Sets up the real Erlang/OTP releases the interop tests talk to, and says which it found.
#
#   scripts/peers.sh          install what is missing, then list the peers
#   scripts/peers.sh list     only list the peers that are there
#
# One line per peer: RELEASE TAB ROOT, where ROOT is "/" for this machine's own
# packages or the folder of a chroot (a chroot shares the network, so a node
# started in it is a real peer on loopback).
#
# OTP 25 is Debian bookworm's own; 27 and 29 come from trixie and forky by
# debootstrap (about a minute and 350 MB each) into a cache folder:
# $TRUSS_PEERS, else ${XDG_CACHE_HOME:-~/.cache}/truss/peers.
# Running it again costs nothing. Without root, or off Debian, it installs
# nothing and lists what is on PATH.
set -euo pipefail

cache=${TRUSS_PEERS:-${XDG_CACHE_HOME:-$HOME/.cache}/truss/peers}
say() { printf 'peers: %s\n' "$*" >&2; }

# otp_release ROOT prints the major release of the erl below ROOT, or nothing.
otp_release() {
  local start
  for start in "${1%/}"/usr/lib/erlang/releases/start_erl.data "${1%/}"/usr/local/lib/erlang/releases/start_erl.data; do
    [ -r "$start" ] && { cut -d' ' -f2 "$start"; return; }
  done
  if [ "$1" = / ] && command -v erl >/dev/null; then
    erl -noshell -eval 'io:put_chars(erlang:system_info(otp_release)), halt().'
  fi
}

can_install() { [ "$(id -u)" = 0 ] && [ -r /etc/debian_version ] && command -v apt-get >/dev/null; }

apt_install() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing ${missing[*]}"
  [ -n "$(find /var/lib/apt/lists -name '*Packages*' -mtime -1 -print -quit 2>/dev/null)" ] || apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# mirror prints the Debian archive this machine's apt already uses.
mirror() {
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | head -n 1
}

# bootstrap RELEASE SUITE makes the chroot for one OTP release. It is built
# beside its final name and moved there whole, so an interrupted run leaves
# nothing that looks finished.
bootstrap() {
  local release=$1 suite=$2 root=$cache/otp$1
  [ "$(otp_release "$root")" = "$release" ] && return 0
  say "setting up OTP $release from Debian $suite (about a minute)"
  rm -rf "$root" "$root.part"
  mkdir -p "$cache"
  if ! debootstrap --variant=minbase --include=erlang-nox,elixir \
      "$suite" "$root.part" "$(mirror)" /usr/share/debootstrap/scripts/sid >"$root.log" 2>&1; then
    tail -n 20 "$root.log" >&2
    say "OTP $release could not be set up; the whole log is $root.log"
    return 1
  fi
  rm -rf "$root.part/var/cache/apt/archives" "$root.part/var/lib/apt/lists"
  mkdir -p "$root.part/var/cache/apt/archives/partial"
  mv "$root.part" "$root"
}

list() {
  local root release
  for root in / "$cache"/otp*/; do
    [ -d "$root" ] || continue
    case $root in *.part/) continue ;; esac
    release=$(otp_release "$root") || continue
    [ -n "$release" ] && printf '%s\t%s\n' "$release" "$root"
  done
  return 0
}

# One at a time: two runs would build the same chroot in the same place.
lock() {
  mkdir -p "$cache"
  exec 9>"$cache/lock"
  flock -n 9 || { say "another run is setting peers up: waiting for it"; flock 9; }
}

# A release that cannot be set up leaves the others to be used, and the exit
# status 1.
failed=0
if [ "${1:-}" != list ]; then
  if can_install; then
    lock
    apt_install erlang-nox elixir debootstrap iproute2 || failed=1
    bootstrap 27 trixie || failed=1
    bootstrap 29 forky || failed=1
  else
    say "not root on Debian: nothing is installed, only what is on PATH is used"
  fi
fi
list
exit $failed
