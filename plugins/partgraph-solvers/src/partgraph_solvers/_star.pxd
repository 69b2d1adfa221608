# What the compiled star search is made of, in kernel.

from libc.stdint cimport int32_t
from libcpp cimport bool as bool_t
from libcpp.memory cimport unique_ptr
from libcpp.vector cimport vector


cdef extern from "kernel/numbers.h" namespace "partgraph" nogil:
    cdef cppclass CNumbers "partgraph::Numbers":
        const double* x
        size_t count

    bool_t c_all_finite "partgraph::all_finite"(const vector[CNumbers]&)
    bool_t c_all_have_best "partgraph::all_have_best"(const vector[CNumbers]&)


cdef extern from "kernel/star.h" namespace "partgraph" nogil:
    cdef cppclass CKernels "partgraph::Kernels":
        const char* name
    vector[const CKernels*] available_kernels()

    cdef cppclass CPoints "partgraph::Points":
        const double* x
        int count, dim

    void c_spatial_order "partgraph::spatial_order"(CPoints, int32_t*) except +
    bool_t c_is_compact "partgraph::is_compact"(CPoints, const int32_t*) except +

    cdef cppclass CBlocks "partgraph::Blocks":
        CBlocks(CPoints, const int32_t*) except +
        const int blocks

    cdef cppclass CScores "partgraph::Scores":
        CScores(const double*, const CBlocks&) except +

    cdef cppclass CLeaf "partgraph::Leaf":
        int size()

    cdef cppclass CStar "partgraph::Star":
        vector[CLeaf] leaves
        const CBlocks* positions
        void set_center(int, const CBlocks*)
        void add_leaf(int, const CBlocks*) except +
        void add_edge(const CBlocks*, const CBlocks*, const double*, const double*) except +

    cdef cppclass CPull "partgraph::Pull":
        CPull() except +
        vector[double] slope, center
        double h

    cdef cppclass CStarProblem "partgraph::StarProblem":
        CStarProblem(const CKernels&, const CStar&, const vector[const CScores*]&, const vector[CPull]&) except +

    cdef cppclass CConfiguration "partgraph::Configuration":
        double value
        vector[int32_t] labels

    cdef cppclass COutcome "partgraph::Outcome":
        vector[CConfiguration] found
        double upper_bound
        bool_t proven
        long blocks_opened, centers_visited

    cdef cppclass CDeadline "partgraph::Deadline":
        CDeadline(double)

    cdef cppclass CSearch "partgraph::Search":
        CSearch(const CStarProblem&, int, const CDeadline&) except +
        COutcome run(long) except +

    cdef cppclass CChoice "partgraph::Choice":
        double value
        int32_t label

    vector[CChoice] best_centers(const CKernels&, const CBlocks&, const CScores&, const vector[CLeaf]&, const int32_t*,
                                 int) except +

cdef extern from "kernel/sites.h" namespace "partgraph" nogil:
    void c_make_blocks "partgraph::make_blocks"(
        const vector[CPoints]&, const vector[int32_t*]&, vector[int]&, vector[unique_ptr[CBlocks]]&) except +
    void c_make_scores "partgraph::make_scores"(
        const vector[const double*]&, const vector[const CBlocks*]&, vector[unique_ptr[CScores]]&) except +

cdef extern from "kernel/marginals.h" namespace "partgraph" nogil:
    cdef cppclass CMarginals "partgraph::Marginals":
        vector[int32_t] labels
        vector[double] values

    vector[CMarginals] max_marginals(const CStarProblem&, double, const CDeadline&) except +
