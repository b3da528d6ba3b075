"""Inline SVG charts without dependencies; colours come from the page's CSS custom properties.

    lines.line_chart            curves, with bands around them, over epochs, steps or seconds
    panels.panel_chart          several plots over one horizontal axis: a loss over its rate
    scatter.scatter_chart       points with error bars over a logarithmic axis
    bars.bar_chart              horizontal bars with a mark each
    change.change_chart         from a value before to a value after, one row each
    histogram.histogram_chart   histograms one under the other, filled and outlined
    matrix.matrix_chart         a confusion matrix
    parallel.parallel_chart     parallel coordinates, one line per trial

Each returns one `<svg>` element that scales with its container and is named and described for
screen readers; `key` must be unique in the page. Values that are None, NaN or infinite are gaps.
"""
