package etf

import (
	"fmt"
	"math"
	"reflect"
	"time"
)

// planTime fills in the plans of time.Time and time.Duration.
func planTime(p *plan, f form) bool {
	unit, ok := map[form]time.Duration{
		formSeconds: time.Second, formMillis: time.Millisecond, formMicros: time.Microsecond, formNanos: time.Nanosecond,
	}[f]
	switch p.typ {
	case reflect.TypeFor[time.Time]():
		switch {
		case ok:
			planUnixTime(p, unit)
		case f == formDefault || f == formNaive:
			planCalendarTime(p, f)
		default:
			p.broken(fmt.Errorf("the option of the etf tag means nothing for a time"))
		}
	case reflect.TypeFor[time.Duration]():
		switch {
		case ok:
			planDuration(p, unit)
		case f == formDefault:
			planDuration(p, time.Millisecond)
		default:
			p.broken(fmt.Errorf("the option of the etf tag means nothing for a duration"))
		}
	default:
		return false
	}
	return true
}

// planDuration writes a duration as an integer of that unit, rounded down towards
// zero.
func planDuration(p *plan, unit time.Duration) {
	p.encode = func(_ *Encoder, dst []byte, v place) ([]byte, error) {
		return appendInt(dst, *at[int64](v)/int64(unit)), nil
	}
	p.decode = func(d *Decoder, v place) error {
		start := d.off
		i, err := d.Int()
		if err == nil && (i > math.MaxInt64/int64(unit) || i < math.MinInt64/int64(unit)) {
			d.off, err = start, ErrRange
		}
		if err != nil {
			return d.cannot(p.typ, err)
		}
		*at[int64](v) = i * int64(unit)
		return nil
	}
}

// planUnixTime writes an instant as the integer of units since 1970, rounded down.
func planUnixTime(p *plan, unit time.Duration) {
	perSecond := int64(time.Second / unit)
	p.encode = func(_ *Encoder, dst []byte, v place) ([]byte, error) {
		t := *at[time.Time](v)
		sec := t.Unix()
		if sec > math.MaxInt64/perSecond-1 || sec < math.MinInt64/perSecond {
			return refuse(dst, ErrRange, "time %v in units of %v", t, unit)
		}
		return appendInt(dst, sec*perSecond+int64(t.Nanosecond())/int64(unit)), nil
	}
	p.decode = func(d *Decoder, v place) error {
		i, err := d.Int()
		if err != nil {
			return d.cannot(p.typ, err)
		}
		sec, frac := i/perSecond, i%perSecond
		*at[time.Time](v) = time.Unix(sec, frac*int64(unit)).UTC()
		return nil
	}
}

// The modules of Elixir's calendar types.
const (
	elixirDateTime      Atom = "Elixir.DateTime"
	elixirNaiveDateTime Atom = "Elixir.NaiveDateTime"
	elixirCalendar      Atom = "Elixir.Calendar.ISO"
)

// planCalendarTime writes an instant as an Elixir DateTime in UTC, or with formNaive
// as a NaiveDateTime, which has no time zone and is taken for UTC. It reads both,
// and {{Y,M,D},{H,Mi,S}} of Erlang's module calendar, also for UTC.
func planCalendarTime(p *plan, f form) {
	p.encode = func(e *Encoder, dst []byte, v place) ([]byte, error) {
		return appendCalendarTime(e, dst, at[time.Time](v).UTC(), f == formNaive)
	}
	p.decode = func(d *Decoder, v place) error {
		start := d.off
		term, err := d.Term()
		if err != nil {
			return err
		}
		t, ok := calendarTime(term)
		if !ok {
			d.off = start
			return d.misfit(p.typ, ErrKind, "no DateTime, NaiveDateTime or {{Y,M,D},{H,M,S}}")
		}
		*at[time.Time](v) = t
		return nil
	}
}

func appendCalendarTime(e *Encoder, dst []byte, t time.Time, naive bool) ([]byte, error) {
	if t.Year() < -9999 || t.Year() > 9999 {
		return refuse(dst, ErrRange, "year %d: Elixir's calendar has -9999 to 9999", t.Year())
	}
	var err error
	atom := func(a Atom) {
		if err == nil {
			dst, err = e.AppendAtom(dst, a)
		}
	}
	number := func(key Atom, n int) {
		atom(key)
		dst = appendInt(dst, int64(n))
	}
	module, size := elixirDateTime, byte(13)
	if naive {
		module, size = elixirNaiveDateTime, 9
	}
	dst = append(dst, extMap, 0, 0, 0, size)
	atom(structKey)
	atom(module)
	atom("calendar")
	atom(elixirCalendar)
	number("year", t.Year())
	number("month", int(t.Month()))
	number("day", t.Day())
	number("hour", t.Hour())
	number("minute", t.Minute())
	number("second", t.Second())
	atom("microsecond")
	dst = appendInt(e.AppendTuple(dst, 2), int64(t.Nanosecond()/1000))
	dst = appendInt(dst, 6) // digits that count
	if naive || err != nil {
		return dst, err
	}
	number("std_offset", 0)
	number("utc_offset", 0)
	for _, kv := range [...][2]string{{"time_zone", "Etc/UTC"}, {"zone_abbr", "UTC"}} {
		atom(Atom(kv[0]))
		if err == nil {
			dst, err = e.appendText(dst, kv[1])
		}
	}
	return dst, err
}

// calendarTime returns the instant that a term of one of the three forms is.
func calendarTime(term Term) (time.Time, bool) {
	switch t := term.(type) {
	case Tuple:
		return erlangTime(t)
	case Map:
		return elixirTime(t)
	}
	return time.Time{}, false
}

// erlangTime reads {{Y,M,D},{H,Mi,S}}.
func erlangTime(t Tuple) (time.Time, bool) {
	if len(t) != 2 {
		return time.Time{}, false
	}
	var parts []int64
	for _, half := range t {
		elems, ok := half.(Tuple)
		if !ok || len(elems) != 3 {
			return time.Time{}, false
		}
		for _, elem := range elems {
			i, ok := elem.(int64)
			if !ok {
				return time.Time{}, false
			}
			parts = append(parts, i)
		}
	}
	return dateTime([6]int64(parts), 0, time.UTC)
}

// elixirTime reads a DateTime, at its offset from UTC, or a NaiveDateTime.
func elixirTime(m Map) (time.Time, bool) {
	get := func(key Atom) Term { t, _ := m.Get(key); return t }
	module := get(structKey)
	if module != elixirDateTime && module != elixirNaiveDateTime || get("calendar") != elixirCalendar {
		return time.Time{}, false
	}
	var parts [6]int64
	for i, key := range [...]Atom{"year", "month", "day", "hour", "minute", "second"} {
		var ok bool
		if parts[i], ok = get(key).(int64); !ok {
			return time.Time{}, false
		}
	}
	micro, ok := get("microsecond").(Tuple)
	if !ok || len(micro) != 2 {
		return time.Time{}, false
	}
	us, ok := micro[0].(int64)
	if !ok || us < 0 || us > 999_999 {
		return time.Time{}, false
	}
	zone := time.UTC
	if module == elixirDateTime {
		if zone, ok = elixirZone(get); !ok {
			return time.Time{}, false
		}
	}
	return dateTime(parts, us, zone)
}

// elixirZone makes a zone of the offsets of a DateTime. The name of the zone, such
// as Europe/Paris, is not looked up: the offsets are what it came to.
func elixirZone(get func(Atom) Term) (*time.Location, bool) {
	utc, ok1 := get("utc_offset").(int64)
	std, ok2 := get("std_offset").(int64)
	name, ok3 := get("zone_abbr").([]byte)
	const most = 48 * 3600
	if !ok1 || !ok2 || !ok3 || utc < -most || utc > most || std < -most || std > most {
		return nil, false
	}
	if utc+std == 0 && string(name) == "UTC" {
		return time.UTC, true
	}
	return time.FixedZone(string(name), int(utc+std)), true
}

// dateTime makes a time of parts that must be a date and time as they are: the
// 31st of April is refused, not carried over.
func dateTime(p [6]int64, us int64, zone *time.Location) (time.Time, bool) {
	for i, most := range [6]int64{9999, 12, 31, 23, 59, 59} {
		least := int64(0)
		if i == 0 {
			least = -9999
		}
		if p[i] < least || p[i] > most {
			return time.Time{}, false
		}
	}
	t := time.Date(int(p[0]), time.Month(p[1]), int(p[2]), int(p[3]), int(p[4]), int(p[5]), int(us)*1000, zone)
	return t, int64(t.Month()) == p[1] && int64(t.Day()) == p[2]
}
