// Vectors like those of questions: many topics, of each a few subjects, of
// each some ways to ask. Within a subject the similarity is about 0.85, within
// a topic 0.45.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "llm/vector.hpp"

namespace clusters {

using Vector = std::vector<float>;

class Source {
public:
    Source(std::size_t dimensions, std::size_t topics, std::uint32_t seed)
        : dimensions_(dimensions), random_(seed) {
        for (std::size_t i = 0; i < topics; ++i) {
            topics_.push_back(noise(1));
        }
    }

    // The topics are not equally popular: the first ones are asked more.
    Vector next() {
        std::uniform_real_distribution<double> uniform;
        double place = uniform(random_);
        auto topic = static_cast<std::size_t>(
            place * place * static_cast<double>(topics_.size()));
        if (subjects_.size() < 20 || random_() % 8 == 0) {
            subjects_.push_back(near(topics_[topic], 0.9));
        }
        return near(subjects_[random_() % subjects_.size()], 0.42);
    }

    // Another way to ask the same.
    Vector near(const Vector &vector, double distance) {
        Vector other = noise(distance);
        for (std::size_t i = 0; i < dimensions_; ++i) {
            other[i] += vector[i];
        }
        (void) llm::vector::normalise(other, other);
        return other;
    }

private:
    // Of about this length.
    Vector noise(double length) {
        std::normal_distribution<float> value(
            0, static_cast<float>(
                   length / std::sqrt(static_cast<double>(dimensions_))));
        Vector vector(dimensions_);
        for (auto &x : vector) {
            x = value(random_);
        }
        return vector;
    }

    std::size_t dimensions_;
    std::mt19937 random_;
    std::vector<Vector> topics_;
    std::vector<Vector> subjects_;
};

}  // namespace clusters
