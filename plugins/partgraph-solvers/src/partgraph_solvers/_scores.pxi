# Unary scores along the blocks of their parts. Included by _star.pyx.


cdef class Scores:
    """Unary scores of one part, (K,) float64, along the order of its `blocks`."""

    cdef unique_ptr[CScores] _scores

    def __init__(self, const double[::1] scores not None, Blocks blocks not None):
        if scores.shape[0] != blocks._order.shape[0]:
            raise ValueError(f"{scores.shape[0]} scores for {blocks._order.shape[0]} candidates")
        cdef const CBlocks* along = blocks._blocks.get()
        with nogil:
            self._scores = make_unique[CScores](&scores[0], along[0])


def scores_of(tables, blocks):
    """Return the scores of several parts, (K,) float64 each, along their blocks."""
    cdef vector[const double*] values
    cdef vector[const CBlocks*] along
    cdef vector[unique_ptr[CScores]] made
    cdef const double[::1] own
    cdef Blocks where
    for own, where in zip(tables, blocks):
        if own.shape[0] != where._order.shape[0]:
            raise ValueError(f"{own.shape[0]} scores for {where._order.shape[0]} candidates")
        values.push_back(&own[0])
        along.push_back(where._blocks.get())
    cdef size_t k
    with nogil:
        c_make_scores(values, along, made)
    found = []
    cdef Scores scores
    for k in range(values.size()):
        scores = Scores.__new__(Scores)
        scores._scores = move(made[k])
        found.append(scores)
    return found
