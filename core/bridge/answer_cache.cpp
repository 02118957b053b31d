// SPDX-License-Identifier: Apache-2.0
#include "core/bridge/answer_cache.h"

#include <algorithm>

namespace dotkey::bridge {
namespace {

std::size_t bucket_count(std::uint32_t entries_max, std::size_t ways) {
  std::size_t count = 1;
  while (count * ways < entries_max) count *= 2;
  return count;
}

}  // namespace

AnswerCache::AnswerCache(AnswerCacheSettings const& settings)
    : settings_(settings), buckets_(bucket_count(settings.entries_max, ways)) {}

AnswerCache::Bucket& AnswerCache::bucket_of(QuestionKey const& key) {
  return buckets_[key.hash() & (buckets_.size() - 1)];
}

std::uint32_t AnswerCache::tag_of(QuestionKey const& key) {
  return static_cast<std::uint32_t>(key.hash() >> 32);
}

std::size_t AnswerCache::way_of(Bucket const& bucket, QuestionKey const& key) {
  std::uint32_t const tag = tag_of(key);
  for (std::size_t way = 0; way < ways; ++way) {
    if (bucket.tags[way] != tag || !bucket.entries[way]) continue;
    if (base::equal(bucket.entries[way]->key, key.bytes())) return way;
  }
  return ways;
}

std::uint64_t AnswerCache::cost_of(Entry const& entry) {
  return entry.key.size() + entry.answer.memory_size();
}

Answer const* AnswerCache::find(QuestionKey const& key) {
  Bucket& bucket = bucket_of(key);
  std::size_t const way = way_of(bucket, key);
  if (way == ways) return nullptr;
  bucket.used_lately[way] = true;
  return &bucket.entries[way]->answer;
}

// A free place, else the first, from the bucket's hand on, that was not used since the hand was
// there last.
std::size_t AnswerCache::make_way(Bucket& bucket) {
  for (std::size_t way = 0; way < ways; ++way) {
    if (!bucket.entries[way]) return way;
  }
  for (;;) {
    std::size_t const way = bucket.hand;
    bucket.hand = static_cast<std::uint8_t>((way + 1) % ways);
    if (!bucket.used_lately[way]) {
      remove(bucket, way);
      ++evictions_;
      return way;
    }
    bucket.used_lately[way] = false;
  }
}

void AnswerCache::remove(Bucket& bucket, std::size_t way) {
  bytes_ -= cost_of(*bucket.entries[way]);
  --size_;
  bucket.entries[way].reset();
}

void AnswerCache::put(QuestionKey const& key, Answer answer) {
  Bucket& bucket = bucket_of(key);
  std::size_t way = way_of(bucket, key);
  if (way != ways) {
    remove(bucket, way);
  } else {
    way = make_way(bucket);
  }
  auto entry = std::make_unique<Entry>(Entry{base::to_bytes(key.bytes()), std::move(answer)});
  bytes_ += cost_of(*entry);
  ++size_;
  bucket.tags[way] = tag_of(key);
  bucket.used_lately[way] = true;
  bucket.entries[way] = std::move(entry);
  shrink();
}

void AnswerCache::shrink() {
  while (bytes_ > settings_.bytes_max && size_ > 1) {
    Bucket& bucket = buckets_[sweep_];
    sweep_ = (sweep_ + 1) % buckets_.size();
    for (std::size_t way = 0; way < ways && bytes_ > settings_.bytes_max; ++way) {
      if (!bucket.entries[way]) continue;
      if (std::exchange(bucket.used_lately[way], false)) continue;
      remove(bucket, way);
      ++evictions_;
    }
  }
}

void AnswerCache::clear() {
  for (Bucket& bucket : buckets_) bucket = Bucket();
  size_ = 0;
  bytes_ = 0;
}

}  // namespace dotkey::bridge
