{{ quarantined_rows() }}
