// Reading, writing and printing the datagrams of sFlow version 5.
//
// encode_* append to `out`.  A sample is written in the compact form; where a number is too large for it
// (an ifIndex of 2^24 or more as a source, of 2^30 or more as an interface), in the expanded one.
//
// decode() reads what anybody sent: every length is checked, the memory that it takes is bounded by a
// multiple of the bytes given.  Structures that are not known are kept as bytes; one that is known may be
// longer than its fields, as the standard allows for later versions of it, and the rest is skipped.
// Errors say at which byte of the datagram.
//
// Thread safety: pure functions.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "telemetry/sflow_message.h"

namespace ovs::telemetry::sflow {

// The datagram's head, with room for the number of samples, which set_sample_count() fills in.
void encode_head(const Datagram& datagram, std::vector<std::uint8_t>& out);
void set_sample_count(std::vector<std::uint8_t>& datagram, std::size_t head_at, std::uint32_t count);
void encode_sample(const Sample& sample, std::vector<std::uint8_t>& out);
void encode(const Datagram& datagram, std::vector<std::uint8_t>& out);

Result<Datagram> decode(std::span<const std::uint8_t> bytes);

// For people and scripts: objects with the names of sflow_fields.h; a header, other bytes, and text that is not UTF-8
// in hex.
boost::json::value to_json(const Datagram& datagram);

}  // namespace ovs::telemetry::sflow
