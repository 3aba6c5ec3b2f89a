"""What the tests of the command line share."""

from sparsekit.cli import main


def assert_error(capsys, argv, *words):
    """One line on standard error, exit code 2, and nothing else."""
    assert main([str(word) for word in argv]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("sparsekit: error: ")
    assert err.endswith("\n")
    assert err.count("\n") == 1
    assert "Traceback" not in err
    for word in words:
        assert word in err
    return err
