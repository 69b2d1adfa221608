// A graph of quadratic terms over the candidates of its parts: all that does not depend on their scores.
#pragma once

#include "problem.h"
#include "sites.h"

namespace partgraph {

// -sum_d weight_d (y_d - x_d - offset_d)^2, with y the position of the second part's candidate.
struct Link {
    int first, second;
    int set;  // of the first part's sites: what x is; 0: positions
    std::vector<double> weight, offset;
};

// A part, parts it is coupled with, the links between them, and linear terms <slope, x> of all of these parts.
struct Shape {
    std::vector<int> parts, links;  // the center first
    std::vector<Pull> pulls;        // by part
};

using PartSites = std::vector<std::shared_ptr<const Sites>>;  // by part

struct Layout {
    std::vector<Link> links;
    std::vector<Shape> shares;          // stars that partition the links: each has a share of the score
    std::vector<Shape> neighbourhoods;  // of every part, all its links
    PartSites sites;                    // of all candidates
    std::vector<std::shared_ptr<const Star>> share_stars, neighbourhood_stars;  // over them

    // points: for every part its positions and the anchors of links that begin there. The arrays are borrowed.
    void place(const std::vector<std::vector<Points>>& points) {
        Order known;
        for (const std::vector<Points>& sets : points) {
            sites.push_back(std::make_shared<const Sites>(sets, known));
            known = sites.back()->order();
        }
        for (int part = 0; part < static_cast<int>(sites.size()); ++part) neighbourhoods.push_back(neighbourhood(part));
        for (const Shape& shape : shares) share_stars.push_back(star(shape, sites, true));
        for (const Shape& shape : neighbourhoods) neighbourhood_stars.push_back(star(shape, sites, false));
    }

    // A star over these sites. Labels stand where its parts have them in the shape (local), or in the graph.
    std::shared_ptr<const Star> star(const Shape& shape, const PartSites& over, bool local) const {
        auto made = std::make_shared<Star>();
        const int center = shape.parts[0];
        made->set_center(local ? 0 : center, &over[center]->positions());
        for (std::size_t l = 1; l < shape.parts.size(); ++l) {
            const int leaf = shape.parts[l];
            made->add_leaf(local ? static_cast<int>(l) : leaf, &over[leaf]->positions());
            for (int e : shape.links) {
                const Link& link = links[e];
                if (link.first != leaf && link.second != leaf) continue;
                const Blocks &x = over[link.first]->blocks(link.set), &y = over[link.second]->positions();
                const bool outward = link.first == center;
                std::vector<double> shift = link.offset;
                if (!outward)
                    for (double& own : shift) own = -own;
                made->add_edge(outward ? &x : &y, outward ? &y : &x, link.weight.data(), shift.data());
            }
        }
        return made;
    }

  private:
    Shape neighbourhood(int part) const {
        Shape shape;
        shape.parts.push_back(part);
        for (std::size_t e = 0; e < links.size(); ++e) {
            const Link& link = links[e];
            if (link.first != part && link.second != part) continue;
            const int other = link.first + link.second - part;
            shape.links.push_back(static_cast<int>(e));
            if (std::find(shape.parts.begin() + 1, shape.parts.end(), other) == shape.parts.end()) shape.parts.push_back(other);
        }
        shape.pulls.resize(shape.parts.size());
        return shape;
    }
};

}  // namespace partgraph
